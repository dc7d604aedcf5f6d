import { usePush } from './kernel/push/index.ts'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from './config.ts'
import { isHeld, openDatabase, startEmbedded, migrate, type Database, type DatabaseOptions } from './kernel/db/index.ts'
import { Hub, NotifyBus, RedisBus } from './kernel/events/index.ts'
import { Cache } from './kernel/cache/cache.ts'
import { SharedCache } from './kernel/cache/shared.ts'
import { Runtime } from './kernel/execute.ts'
import { useMail } from './kernel/mail/index.ts'
import { holdSending } from './kernel/sending.ts'
import { RedisLink } from './kernel/redis.ts'
import { Limiter, RedisStore, useChallengeKeys } from './kernel/limits/index.ts'
import { useWebhooks } from './modules/webhooks/index.ts'
import { useHistory } from './modules/archive/index.ts'
import { useSearch } from './modules/search/index.ts'
import { useProviders } from './modules/notifications/index.ts'
import { narrowing, useAttemptStore, useAuditHeads, useSigningKeys } from './modules/authentication/index.ts'
import { useVoice } from './modules/displays/index.ts'
import { useMediaKeys, useStorage } from './modules/media/index.ts'
import { registerAlgorithms } from './modules/queues/index.ts'
import { tenantDirectory, type TenantDirectory } from './modules/tenants/index.ts'
import { problemOf } from './transports/problem.ts'

export interface Core {
  config: Config
  db: Database
  hub: Hub
  runtime: Runtime
  /** A cache for what may be a little old, shared by all processes where Redis is there. */
  cacheOf(): Cache
  directory: TenantDirectory
  limiter: Limiter
  /** A direct login that may migrate and run jobs. */
  directUrl: string
  close(): Promise<void>
}

/** What every process needs, with or without a server: the database (the embedded one when none is set) and the runtime. */
export async function buildCore(config: Config, database: Partial<DatabaseOptions> = {}): Promise<Core> {
  useSigningKeys(config.secretKey, config.secretKeyFallbacks)
  useChallengeKeys(config.secretKey, config.secretKeyFallbacks)
  usePush(config.secretKey, { subject: contactOf(config), allowsLoopback: config.debug })
  useAuditHeads(join(config.dataDir, 'audit-heads'))
  useMediaKeys(config.secretKey, config.secretKeyFallbacks)
  await useStorage(config)
  useHistory(config.historyDays)
  useVoice({ directory: join(config.dataDir, 'voice') })
  const redis = config.redisUrl ? new RedisLink(config.redisUrl) : undefined
  const shared = redis && new SharedCache(redis, config.secretKey)
  // Each has its own memory: what floods one pushes nothing out of another.
  const cacheOf = () => new Cache(shared)
  useAttemptStore(redis)
  useProviders(config, (path) => config.publicUrl + path)
  useWebhooks(config.webhooks)
  await useSearch(config.opensearchUrl)
  useMail({ smtpUrl: config.smtpUrl, from: config.emailFrom })
  for (const path of config.algorithmPlugins) {
    registerAlgorithms((await import(pathToFileURL(path).href)) as Record<string, unknown>)
  }
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbedded({ directory: join(config.dataDir, 'postgresql') })
  const url = embedded?.url ?? config.databaseUrl!
  const directUrl = embedded?.directUrl ?? config.databaseDirectUrl ?? url
  // The embedded database belongs to this program alone, so it is brought up to date without being asked.
  if (embedded) await migrate(directUrl)
  const db = await openDatabase({ url, directUrl, replicaUrl: config.databaseReplicaUrl, ...database })
  holdSending(await isHeld((text) => db.platform((tx) => tx.query(text))))
  const hub = new Hub(db, {
    buses: [...(redis ? [new RedisBus(redis)] : []), new NotifyBus(db)],
  })
  const limiter = new Limiter({
    db,
    store: redis && new RedisStore(redis),
    factor: config.rateLimitFactor,
  })
  const runtime = new Runtime({
    db,
    hub,
    url: (path) => config.publicUrl + path,
    guard: narrowing,
    limiter,
    shared,
    renderError: (error, request) => JSON.stringify(problemOf(error, request.locale, request.requestId ?? '')),
  })
  return {
    config,
    db,
    hub,
    runtime,
    cacheOf,
    directory: tenantDirectory(db, cacheOf()),
    limiter,
    directUrl,
    async close() {
      await hub.stop()
      redis?.close()
      await db.close()
      await embedded?.close()
    },
  }
}

/** Whom a push service tells of trouble: an address it accepts, which `localhost` is not. */
const contactOf = ({ emailFrom, publicUrl }: Config): string =>
  publicUrl.startsWith('https:') ? publicUrl : `mailto:${/[^\s<]+@[^\s>]+/.exec(emailFrom)?.[0] ?? 'nobody@localhost'}`
