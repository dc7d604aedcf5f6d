import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import packageJson from '../../../package.json' with { type: 'json' }
import { buildCore } from '../../core.ts'
import type { Config } from '../../config.ts'
import { now } from '../../kernel/clock.ts'
import { connectDirect, isHeld } from '../../kernel/db/index.ts'
import { storage, useStorage } from '../../modules/media/index.ts'
import { searchServer, useSearch } from '../../modules/search/index.ts'
import { sentry } from '../../kernel/reporting/index.ts'
import { describe, print } from './output.ts'

/** Clocks further apart than this make tokens and logs misleading. */
const MAX_SKEW_SECONDS = 2

/** Looks at everything a server needs, says what it found, and answers whether all is well. */
export async function doctor(config: Config): Promise<boolean> {
  let isWell = true
  const check = async (name: string, look: () => Promise<string>) => {
    try {
      print(`ok    ${name}: ${await look()}`)
    } catch (error) {
      isWell = false
      print(`FAIL  ${name}: ${describe(error)}`)
    }
  }
  await check('settings', async () => (config.debug ? 'development' : 'production'))
  await check('Node', async () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    if (major < 24 || (major === 24 && minor < 12)) throw new Error(`${process.version}: 24.12 or later is needed`)
    return process.version
  })
  await check('data directory', async () => {
    await mkdir(config.dataDir, { recursive: true })
    await access(config.dataDir, constants.W_OK)
    return config.dataDir
  })
  await check('database', async () => {
    const core = await buildCore(config)
    try {
      await checkDatabase(core.directUrl, check)
      return config.databaseUrl ? 'answers' : 'the embedded one answers'
    } finally {
      await core.close()
    }
  })
  await check('media', () => checkMedia(config))
  await check('search', async () => {
    if (!config.opensearchUrl) return 'the database (OPENSEARCH_URL)'
    await useSearch(config.opensearchUrl)
    await searchServer()!.prepare()
    return `${new URL(config.opensearchUrl).host} answers`
  })
  await check('metrics', async () => (config.metricsPort ? `on port ${config.metricsPort} of each server` : 'off'))
  await check('error reports', async () => {
    if (!config.sentryDsn) return 'off (SENTRY_DSN)'
    const release = `smartqueue@${packageJson.version}`
    await sentry({ dsn: config.sentryDsn, release, environment: 'doctor' })
    return `${new URL(config.sentryDsn).host} takes them`
  })
  await check('traces', async () => {
    if (!config.otlpEndpoint) return 'off (OTEL_EXPORTER_OTLP_ENDPOINT)'
    const { status } = await fetch(`${config.otlpEndpoint.replace(/\/+$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      signal: AbortSignal.timeout(5000),
    })
    if (status >= 300) throw new Error(`the collector answers ${status}`)
    return `${new URL(config.otlpEndpoint).host} takes them`
  })
  return isWell
}

/** Writes a file as an upload would, reads it back and removes it. */
async function checkMedia(config: Config): Promise<string> {
  await useStorage(config)
  const [key, path, told] = [`doctor/${randomUUID()}`, join(config.dataDir, `doctor-${randomUUID()}`), randomUUID()]
  await writeFile(path, told)
  try {
    await storage().put(key, path, 'text/plain')
    if ((await text(await storage().read(key))) !== told) throw new Error('what was written is not what is read')
    await storage().remove(key)
  } finally {
    await rm(path, { force: true })
  }
  return config.s3 ? `the bucket ${config.s3.bucket} takes and gives files` : 'the data directory takes and gives files'
}

async function checkDatabase(url: string, check: (name: string, look: () => Promise<string>) => Promise<void>) {
  const direct = await connectDirect(url)
  const one = async <Row>(text: string) => (await direct.query<Row>(text))[0]!
  try {
    await check(
      'PostgreSQL',
      async () => (await one<{ version: string }>('select version()')).version.split(' on ')[0]!,
    )
    await check('migrations', async () => {
      const { count } = await one<{ count: number }>('select count(*)::int as count from schema_migrations')
      return `${count} applied`
    })
    await check('log of events', async () => {
      const { parts, until, is_ahead } = await one<{ parts: number; until: string; is_ahead: boolean }>(
        `select count(*)::int as parts, max(ends_at)::date::text as until, max(ends_at) > now() + interval '14 days' as is_ahead from app.events_parts()`,
      )
      const { is_stray } = await one<{ is_stray: boolean }>('select exists (select from events_elsewhere) as is_stray')
      if (is_stray || !is_ahead)
        throw new Error(`its parts end on ${until}: run a worker, which makes the next ones within an hour`)
      return `in ${parts} parts until ${until}`
    })
    await check('sending', async () => {
      if (await isHeld(direct.query)) throw new Error('a restored copy sends nothing: smartqueue restore --release')
      return 'allowed'
    })
    await check('application role', async () => {
      const role = await one<{ unsafe: boolean }>(
        `select rolsuper or rolbypassrls as unsafe from pg_roles where rolname = 'sq_app'`,
      )
      if (role.unsafe) throw new Error('sq_app must be neither superuser nor exempt from row-level security')
      return 'bound by row-level security'
    })
    await check('clocks', async () => {
      const before = now()
      const { at } = await one<{ at: number }>('select extract(epoch from clock_timestamp())::float8 as at')
      const skew = Math.abs(at - (before + now()) / 2000)
      if (skew > MAX_SKEW_SECONDS) throw new Error(`the database’s is ${skew.toFixed(1)} s away`)
      return `${Math.round(skew * 1000)} ms apart`
    })
  } finally {
    await direct.close()
  }
}
