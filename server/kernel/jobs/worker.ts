import { EventEmitter } from 'node:events'
import { Logger, parseCronItems, run, type JobHelpers, type Runner, type WorkerEvents } from 'graphile-worker'
import { ownerPool } from '../db/index.ts'
import { now } from '../clock.ts'
import { measureJob } from '../metrics.ts'
import { heartbeat, type Heart } from './heartbeat.ts'
import type { Job, JobContext, Lease } from './job.ts'
import { nightlyJob } from './nightly.ts'

export interface WorkerOptions {
  /** A login that may become the schema's owner; the application's own role cannot read the job tables. */
  connectionString: string
  jobs: readonly Job[]
  context: JobContext
  concurrency?: number
  log(level: 'error' | 'warn' | 'info' | 'debug', message: string, meta?: Record<string, unknown>): void
}

const LEASE_LOST = 'the lease of this job was lost'

/** By worker and attempt: whoever has the job now has another pair. */
const leaseOf = ({ id, locked_by, attempts }: JobHelpers['job']): Lease => ({
  async settle(tx) {
    const { done } = await tx.one<{ done: boolean }>('select app.settle_job($1, $2, $3) as done', [
      id,
      locked_by,
      attempts,
    ])
    if (!done) throw new Error(LEASE_LOST)
  },
})

/** Runs background jobs until `stop()`, which waits for those in progress. */
export async function startWorker(options: WorkerOptions): Promise<Runner> {
  const { context, log } = options
  const jobs = [...options.jobs, nightlyJob(options.jobs)]
  const concurrency = options.concurrency ?? 5
  const pgPool = ownerPool(options.connectionString, concurrency + 2)
  const events = new EventEmitter() as WorkerEvents
  let heart: Heart | undefined
  events.once('pool:create', ({ workerPool }) => {
    heart = heartbeat(pgPool, workerPool.id, (error) =>
      log('warn', 'a worker could not say that it lives', { error: String(error) }),
    )
  })
  const runner = await run({
    pgPool,
    events,
    concurrency,
    // Fetching many jobs at once and completing them together is worth a factor of ten; what one process has fetched
    // comes before whatever is more urgent, so they are not very many.
    preset: { worker: { localQueue: { size: 20 }, completeJobBatchDelay: 0 } },
    noHandleSignals: true,
    logger: new Logger((scope) => (level, message, meta) => {
      log(level === 'warning' ? 'warn' : level, message, { ...scope, ...meta })
    }),
    taskList: Object.fromEntries(
      jobs.map((job) => [
        job.name,
        (payload: unknown, helpers: JobHelpers) =>
          measureJob(job.name, helpers.job.run_at.getTime(), now(), async () => {
            // Stopped and woken: what was fetched before may have been given to others.
            if (heart?.isSilent()) throw new Error(LEASE_LOST)
            const lease = leaseOf(helpers.job)
            await job.run({ ...context, lease }, (payload ?? {}) as Record<string, unknown>)
          }),
      ]),
    ),
    parsedCronItems: parseCronItems(
      jobs.flatMap((job) =>
        job.schedule ? [{ task: job.name, match: job.schedule, options: { backfillPeriod: 0 } }] : [],
      ),
    ),
  })
  void runner.promise.finally(async () => {
    await heart?.stop()
    await pgPool.end()
  })
  return runner
}
