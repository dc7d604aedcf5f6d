import { EventEmitter } from 'node:events'
import { Logger, parseCronItems, run, type JobHelpers, type Runner, type WorkerEvents } from 'graphile-worker'
import { ownerPool } from '../db/index.ts'
import { now } from '../clock.ts'
import { measureJob } from '../metrics.ts'
import { heartbeat } from './heartbeat.ts'
import type { Job, JobContext } from './job.ts'

export interface WorkerOptions {
  /** A login that may become the schema's owner; the application's own role cannot read the job tables. */
  connectionString: string
  jobs: readonly Job[]
  context: JobContext
  concurrency?: number
  log(level: 'error' | 'warn' | 'info' | 'debug', message: string, meta?: Record<string, unknown>): void
}

/** Runs background jobs until `stop()`, which waits for those in progress. */
export async function startWorker(options: WorkerOptions): Promise<Runner> {
  const { jobs, context, log } = options
  const concurrency = options.concurrency ?? 5
  const pgPool = ownerPool(options.connectionString, concurrency + 2)
  const events = new EventEmitter() as WorkerEvents
  let stopBeating = async () => {}
  events.once('pool:create', ({ workerPool }) => {
    stopBeating = heartbeat(pgPool, workerPool.id, (error) =>
      log('warn', 'a worker could not say that it lives', { error: String(error) }),
    )
  })
  const runner = await run({
    pgPool,
    events,
    concurrency,
    // Fetching many jobs at once and completing them together is worth a factor of ten.
    preset: { worker: { localQueue: { size: 100 }, completeJobBatchDelay: 0 } },
    noHandleSignals: true,
    logger: new Logger((scope) => (level, message, meta) => {
      log(level === 'warning' ? 'warn' : level, message, { ...scope, ...meta })
    }),
    taskList: Object.fromEntries(
      jobs.map((job) => [
        job.name,
        (payload: unknown, helpers: JobHelpers) =>
          measureJob(job.name, helpers.job.run_at.getTime(), now(), () =>
            job.run(context, (payload ?? {}) as Record<string, unknown>),
          ),
      ]),
    ),
    parsedCronItems: parseCronItems(
      jobs.flatMap((job) =>
        job.schedule ? [{ task: job.name, match: job.schedule, options: { backfillPeriod: 0 } }] : [],
      ),
    ),
  })
  void runner.promise.finally(async () => {
    await stopBeating()
    await pgPool.end()
  })
  return runner
}
