import closeWithGrace from 'close-with-grace'
import packageJson from '../../../package.json' with { type: 'json' }
import { buildApp, startJobs, type App } from '../../app.ts'
import type { Config } from '../../config.ts'
import { jobBacklog } from '../../kernel/jobs/index.ts'
import { createLogger, type Logger } from '../../kernel/log.ts'
import { measureBacklog, measureProcess } from '../../kernel/metrics.ts'
import { reported, useReporting } from '../../kernel/reporting/index.ts'
import { useTracing } from '../../kernel/tracing/index.ts'
import { ensureScreens } from '../../../web/build/ensure.ts'
import { serveMetrics } from '../metrics.ts'
import { noteAddress } from './address.ts'
import { describe } from './output.ts'

const ROLES = ['api', 'realtime', 'worker'] as const
type ServerRole = (typeof ROLES)[number]
export const ALL_ROLES: ReadonlySet<ServerRole> = new Set(ROLES)

/** @throws Error for a word that is no role */
export function parseRoles(text: string): ReadonlySet<ServerRole> {
  return new Set(
    text.split(',').map((word) => {
      const role = ROLES.find((known) => known === word.trim())
      if (!role) throw new Error(`unknown role "${word}": the roles are ${ROLES.join(', ')}`)
      return role
    }),
  )
}

/** A stop takes no longer than this, whatever hangs. */
const STOP_WITHIN_MS = 20_000

export interface Serving {
  app: App
  logger: Logger
  /** Where the installation can be reached; a worker alone serves nobody there. */
  url: string
  close(): Promise<void>
}

/** Starts the roles of this process and returns when they answer. */
export async function start(
  config: Config,
  roles: ReadonlySet<ServerRole>,
  logLevel = config.logLevel,
): Promise<Serving> {
  const logger = createLogger({ level: logLevel })
  const { name, version } = packageJson
  useReporting(config.sentryDsn, {
    release: `${name}@${version}`,
    environment: config.debug ? 'development' : 'production',
  })
  await useTracing(config.otlpEndpoint, { name, version })
  if (roles.has('api')) await ensureScreens()
  const app = await buildApp(config, { logger, isApi: roles.has('api'), isRealtime: roles.has('realtime') })
  try {
    const isPublic = roles.has('api') || roles.has('realtime')
    // Before the worker: a program whose port is taken must not take jobs on its way out.
    if (isPublic) await app.app.listen({ host: config.host, port: config.port })
    const forgetAddress = isPublic ? noteAddress(config) : () => {}
    const worker = roles.has('worker') ? await startJobs(app, logger) : undefined
    measureProcess()
    measureBacklog(() => jobBacklog(app.db))
    const metrics = config.metricsPort
      ? await serveMetrics(config.metricsPort, config.host, app.isReady).catch((error: unknown) => {
          logger.warn({ port: config.metricsPort, reason: describe(error) }, 'the metrics port cannot be used')
          return undefined
        })
      : undefined
    return {
      app,
      logger,
      url: config.publicUrl,
      async close() {
        await Promise.all([app.drain(), worker?.stop()])
        await app.close()
        await Promise.all([useTracing(undefined, { name, version }), reported()])
        metrics?.close()
        forgetAddress()
      },
    }
  } catch (error) {
    await app.close()
    throw error
  }
}

/**
 * Stops in order on SIGTERM, SIGINT or a fatal error: not ready; requests finished, sockets told to come back and jobs
 * in progress done, side by side; exit.
 */
export function stopWithGrace(serving: Serving, config: Config, before: () => Promise<void> = async () => {}): void {
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: false }, async ({ signal, err }) => {
    if (err) serving.logger.fatal({ err }, 'stopping after an error nobody handled')
    else serving.logger.info({ signal }, 'stopping')
    await before()
    serving.app.refuseNewWork()
    if (!err) await new Promise((resolve) => setTimeout(resolve, config.stopNoticeMs))
    await serving.close()
  })
}
