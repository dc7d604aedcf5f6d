import { basename } from 'node:path'
import { audit } from './audit.ts'
import { ApiClient } from './client.ts'
import { drive } from './driver.ts'
import type { Log } from './log.ts'
import { Pacer } from './pacer.ts'
import { planTrace } from './plan.ts'
import { Progress, type Out } from './progress.ts'
import { buildReport, clock, renderReport } from './report.ts'
import { formatInstant, type Selection, selectVisits } from './select.ts'
import { setUp } from './setup.ts'
import { summarize } from './stats.ts'
import { readTrace } from './trace.ts'
import { VisitorSample } from './visitors.ts'

export { startDemoDay } from './demo-day.ts'
export { planDemoPast } from './demo-past.ts'
export type { Out } from './progress.ts'

export interface ReplayOptions extends Selection {
  /** Path of a gzip CSV trace. */
  trace: string
  /** Virtual seconds per real second at most; `max` goes as fast as events allow. Default 600. */
  speed?: number | 'max' | undefined
  /** Default `http://localhost:8000`. */
  baseUrl?: string | undefined
  tenant: string
  /** An administrator of the tenant. */
  email: string
  password: string
  /** Print the report as one JSON document instead of tables. */
  json?: boolean | undefined
  /** Free agents beyond the waiting tickets that call too, to race for them. Default 2. */
  racers?: number | undefined
  /** Every n-th visitor follows the own ticket live; 0 nobody. Default 25. */
  visitors?: number | undefined
  /** Cut each observer's connection after so many events; 0 never. Default 500. */
  dropEvery?: number | undefined
  /** How long an observer waits for an event before it counts as late. Default 5,000: lost wake-ups heal within one or two. */
  patienceMs?: number | undefined
}

/**
 * Plays a real trace against a running server as kiosks, visitors and agents, over HTTP and WebSocket, then compares
 * what everybody saw with what the server holds. Writes a live line and a report to `out`.
 * @returns the process's exit code: 0, or 1 when a promise was broken (a double call, a lost or repeated event, a ticket
 *   without its final state, a refused act, waits more than 2 % off the oracle)
 * @throws Error for a file that is not a trace, a selection that is empty, or a server that cannot be reached
 */
export async function replay(options: ReplayOptions, out: Out): Promise<number> {
  const speed = options.speed === 'max' ? Number.POSITIVE_INFINITY : (options.speed ?? 600)
  if (!(speed > 0)) throw new Error('--speed is a number above 0, or max')
  const plan = selectVisits(planTrace(await Array.fromAsync(readTrace(options.trace))), options)
  const client = new ApiClient({ ...options, baseUrl: options.baseUrl ?? 'http://localhost:8000' })
  const name = basename(options.trace).replace(/\.csv\.gz$/, '')
  const stages = await setUp(client, name, plan, options.dropEvery ?? 500)
  client.latencies.clear()

  const planned = plan.reduce((sum, queue) => sum + queue.visits.length, 0)
  const firstArrival = Math.min(...plan.map((queue) => queue.visits[0]?.arrival_s ?? Number.POSITIVE_INFINITY))
  const patienceMs = options.patienceMs ?? 5000
  const visitors = new VisitorSample(client.baseUrl, options.visitors ?? 25, patienceMs)
  const pacer = new Pacer(speed, firstArrival)
  const progress = new Progress(options.json ? { write: () => true } : out)
  try {
    const log = await drive(client, stages, pacer, {
      racers: options.racers ?? 2,
      visitors,
      patienceMs,
      onInstant: (now, waiting, serving) =>
        progress.show(() => progressLine(client, pacer, now, planned, waiting, serving)),
    })
    const realSeconds = pacer.realSeconds()
    await visitors.close()
    const latencies = new Map(client.latencies)
    const found = await audit(client, stages, log, patienceMs, (done) =>
      progress.show(() => `checking every ticket and event: ${Math.round(100 * done)} %`),
    )
    progress.end()
    const report = buildReport({
      trace: name,
      speed,
      realSeconds,
      virtualSeconds: pacer.livedSeconds(log.now),
      skippedSeconds: pacer.skippedSeconds,
      stages,
      log,
      audit: found,
      client: { latencies, retries: client.retries },
      visitors,
    })
    out.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report))
    return report.faults.length === 0 ? 0 : 1
  } finally {
    visitors.hangUp()
    for (const stage of stages) stage.feed.close()
  }
}

/** Requests of each act the live line looks back on. */
const RECENT = 500

function progressLine(
  client: ApiClient,
  pacer: Pacer,
  log: Log,
  planned: number,
  waiting: number,
  serving: number,
): string {
  const api = summarize([...client.latencies.values()].flatMap((samples) => samples.slice(-RECENT)))
  const pace = pacer.livedSeconds(log.now) / Math.max(0.001, pacer.realSeconds())
  return [
    `${formatInstant(log.now)} x${Math.round(pace)}`,
    `${Math.round((100 * log.stays.length) / planned)} %`,
    `waiting ${waiting} serving ${serving}`,
    `taken ${log.stays.length} served ${log.served} left ${log.left}`,
    `mean wait ${clock(log.waitedSeconds / Math.max(1, log.called))}`,
    `double calls ${log.doubleCalls}`,
    `API p50 ${api.p50.toFixed(1)} p99 ${api.p99.toFixed(1)} ms`,
  ].join(' | ')
}
