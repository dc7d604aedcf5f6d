import { EventEmitter } from 'node:events'
import type { JobHelpers, Runner, WorkerEvents } from 'graphile-worker'
import { ownerPool } from '../db/index.ts'
import { monotonicMs, now } from '../clock.ts'
import { measureJob } from '../metrics.ts'
import { tracing } from '../tracing/index.ts'
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

/** Measured, traced, and noted with the request that it comes from, if any: what nobody asked for is noted only when it fails. */
function told(
  { name: task }: Job,
  { id, attempts, max_attempts, run_at }: JobHelpers['job'],
  payload: Record<string, unknown>,
  log: WorkerOptions['log'],
  run: (payload: Record<string, unknown>) => Promise<void>,
): Promise<void> {
  const { request_id, traceparent, tenant_id } = payload as { [name: string]: string | undefined }
  const fields = { request_id, tenant_id, task, job_id: id, attempt: attempts }
  const started = monotonicMs()
  const work = async () => {
    try {
      await run(payload)
    } catch (err) {
      log('error', attempts < max_attempts ? 'a job failed' : 'a job failed for the last time', { ...fields, err })
      throw err
    }
    const lag_ms = Math.max(0, Math.round(now() - (monotonicMs() - started) - run_at.getTime()))
    const duration_ms = Math.round((monotonicMs() - started) * 10) / 10
    log(request_id ? 'info' : 'debug', 'a job is done', { ...fields, duration_ms, lag_ms })
  }
  return measureJob(task, run_at.getTime(), now(), () => {
    const attributes = {
      'smartqueue.request_id': request_id,
      'smartqueue.tenant_id': tenant_id,
      'smartqueue.attempt': attempts,
    }
    return tracing()?.job(task, traceparent, attributes, work) ?? work()
  })
}

/** The library tells of every job; those that matter are noted here with what they come from. */
const levelOf = (level: string, message: string) =>
  level === 'warning' ? 'warn' : level === 'error' && !message.startsWith('Failed task') ? 'error' : 'debug'

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
  // Not every process works, nor does a command.
  const { Logger, parseCronItems, run } = await import('graphile-worker')
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
      log(levelOf(level, message), message, { ...scope, ...meta })
    }),
    taskList: Object.fromEntries(
      jobs.map((job) => [
        job.name,
        (payload: unknown, helpers: JobHelpers) =>
          told(job, helpers.job, (payload ?? {}) as Record<string, unknown>, log, async (given) => {
            // Stopped and woken: what was fetched before may have been given to others.
            if (heart?.isSilent()) throw new Error(LEASE_LOST)
            await job.run({ ...context, lease: leaseOf(helpers.job) }, given)
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
