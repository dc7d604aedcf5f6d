import type { Audit } from './audit.ts'
import type { ApiClient } from './client.ts'
import type { Log, Stage } from './log.ts'
import { type Outcome, simulate } from './oracle.ts'
import type { PlannedVisit } from './plan.ts'
import { type Summary, summarize } from './stats.ts'
import { table } from './table.ts'

/** Waits may differ from the oracle's by this share before the report calls it a fault of the server. */
const WAIT_TOLERANCE = 0.02

interface Waits {
  replay: Summary
  /** The same customers in the discrete-event simulation: what a faultless server gives. */
  oracle: Summary
  /** What the trace itself shows; other decisions were taken there. */
  trace: Summary
}
interface QueueReport {
  queue: string
  tickets: number
  served: number
  abandoned: number
  waits_seconds: Waits
}
export interface ReplayReport {
  trace: string
  speed: number | 'max'
  real_seconds: number
  virtual_seconds: number
  skipped_seconds: number
  tickets: { taken: number; called: number; served: number; abandoned: number; unfinished: number; planned: number }
  waits_seconds: Waits
  /** Largest relative difference of mean, p50 and p90 from the oracle. */
  wait_deviation: number
  double_calls: number
  /** Free agents were told that nobody waits while somebody did; they asked again. */
  missed_calls: number
  events: {
    held: number
    lost: number
    duplicated: number
    invented: number
    late: number
    reconnects: number
    resyncs: number
  }
  tickets_not_final: number
  tickets_missing: number
  visitors: { followed: number; informed: number; refused: number }
  api_ms: Summary & { retries: number; by_act: Record<string, Summary> }
  refusals: Record<string, number>
  queues: QueueReport[]
  /** Every promise that was not kept, in words; empty when all were. */
  faults: string[]
}

export interface ReportInput {
  trace: string
  speed: number
  realSeconds: number
  virtualSeconds: number
  skippedSeconds: number
  stages: readonly Stage[]
  log: Log
  audit: Audit
  client: Pick<ApiClient, 'latencies' | 'retries'>
  visitors: { followed: number; informed: number; refused: number }
}

export function buildReport(input: ReportInput): ReplayReport {
  const { stages, log, audit, client } = input
  const outcomes = new Map(log.stays.map((stay) => [stay.visit, stay.outcome]))
  const ticketIds = new Map(log.stays.map((stay) => [stay.visit, stay.ticket.id]))
  const sides = stages.map(({ plan }) => {
    const visits = inServerOrder(plan.visits, ticketIds)
    const reference = simulate(visits, plan.staffing)
    return {
      replay: waitsOf(visits, (visit) => outcomes.get(visit)),
      oracle: waitsOf(visits, (_, i) => reference[i]),
      trace: visits.flatMap((visit) => visit.trace_wait_s ?? []),
    }
  })
  const waits = summarizeSides(sides)
  const acts = Object.fromEntries(
    [...client.latencies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([act, samples]) => [act, summarize(samples)]),
  )
  const planned = stages.reduce((sum, stage) => sum + stage.plan.visits.length, 0)
  const report: ReplayReport = {
    trace: input.trace,
    speed: input.speed === Number.POSITIVE_INFINITY ? 'max' : input.speed,
    real_seconds: input.realSeconds,
    virtual_seconds: input.virtualSeconds,
    skipped_seconds: input.skippedSeconds,
    tickets: {
      planned,
      taken: log.stays.length,
      called: log.called,
      served: log.served,
      abandoned: log.left,
      unfinished: log.stays.filter((stay) => !stay.outcome).length,
    },
    waits_seconds: waits,
    wait_deviation: deviation(waits.replay, waits.oracle),
    double_calls: audit.doubleCalls,
    missed_calls: log.missedCalls,
    events: {
      held: audit.events,
      lost: audit.lost,
      duplicated: audit.duplicated,
      invented: audit.invented,
      late: log.unseen,
      reconnects: sum(stages, ({ feed }) => feed.reconnects),
      resyncs: sum(stages, ({ feed }) => feed.resyncs),
    },
    tickets_not_final: audit.notFinal,
    tickets_missing: audit.missing,
    visitors: { followed: input.visitors.followed, informed: input.visitors.informed, refused: input.visitors.refused },
    api_ms: { ...summarize([...client.latencies.values()].flat()), retries: client.retries, by_act: acts },
    refusals: Object.fromEntries(log.refusals),
    queues: stages.map(({ plan }, i) => ({
      queue: plan.key,
      tickets: plan.visits.length,
      served: sides[i]?.replay.length ?? 0,
      abandoned: plan.visits.filter((visit) => outcomes.get(visit)?.start_s === null).length,
      waits_seconds: summarizeSides(sides.slice(i, i + 1)),
    })),
    faults: [],
  }
  report.faults = findFaults(report)
  return report
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)

/**
 * In order of arrival; customers of the same second, who really came at once, as the server put them. Who of them goes
 * first is anybody's right, but it moves everybody behind them.
 */
function inServerOrder(visits: readonly PlannedVisit[], ticketIds: ReadonlyMap<PlannedVisit, number>): PlannedVisit[] {
  return visits.toSorted(
    (a, b) =>
      a.arrival_s - b.arrival_s || (ticketIds.get(a) ?? Infinity) - (ticketIds.get(b) ?? Infinity) || a.index - b.index,
  )
}

function waitsOf(
  visits: readonly PlannedVisit[],
  outcomeOf: (visit: PlannedVisit, index: number) => Outcome | null | undefined,
): number[] {
  return visits.flatMap((visit, index) => {
    const start = outcomeOf(visit, index)?.start_s
    return start === null || start === undefined ? [] : start - visit.arrival_s
  })
}

function summarizeSides(sides: readonly { replay: number[]; oracle: number[]; trace: number[] }[]): Waits {
  const side = (name: 'replay' | 'oracle' | 'trace') => summarize(sides.flatMap((each) => each[name]))
  return { replay: side('replay'), oracle: side('oracle'), trace: side('trace') }
}

/** Largest relative difference of mean, p50 and p90; below one second of reference, the difference in seconds. */
export function deviation(replay: Summary, oracle: Summary): number {
  return Math.max(
    ...(['mean', 'p50', 'p90'] as const).map((key) => Math.abs(replay[key] - oracle[key]) / Math.max(1, oracle[key])),
  )
}

/** Every promise a report shows as broken. */
export function findFaults(report: ReplayReport): string[] {
  const counts: [number, string][] = [
    [report.double_calls, 'double calls'],
    [report.events.lost, 'lost events'],
    [report.events.duplicated, 'duplicated events'],
    [report.events.invented, 'events on a feed that the log does not hold'],
    [report.events.resyncs, 'resyncs (a feed could not be resumed)'],
    [report.tickets_not_final, 'tickets not in their final state'],
    [report.tickets_missing, 'tickets the list does not show'],
    [report.tickets.unfinished, 'tickets neither served nor left'],
    [report.tickets.planned - report.tickets.taken, 'tickets that could not be taken'],
    [report.visitors.followed - report.visitors.informed, 'visitors who were not told'],
    [Object.values(report.refusals).reduce((a, b) => a + b, 0), 'acts the server refused'],
  ]
  const faults = counts.filter(([count]) => count !== 0).map(([count, what]) => `${count} ${what}`)
  if (report.wait_deviation > WAIT_TOLERANCE)
    faults.push(`waits differ from the oracle's by ${percent(report.wait_deviation)}`)
  return faults
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`
/** Seconds for people: `18:42`, `1:02:09`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const pad = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const rest = `${pad(Math.floor((whole % 3600) / 60))}:${pad(whole % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest.replace(/^0(?=\d:)/, '')
}
const grouped = (value: number) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')

/** The report as a person reads it. */
export function renderReport(report: ReplayReport): string {
  const { tickets, waits_seconds: waits, events, api_ms: api, visitors } = report
  const row = (label: string, s: Summary) => [
    label,
    grouped(s.count),
    clock(s.mean),
    clock(s.p50),
    clock(s.p90),
    clock(s.max),
  ]
  const lines = [
    `Replay of ${report.trace}: ${clock(report.virtual_seconds)} of open hours in ${clock(report.real_seconds)}` +
      ` (${grouped(report.virtual_seconds / Math.max(report.real_seconds, 0.001))} times real time, ${clock(report.skipped_seconds)} of quiet skipped)`,
    '',
    table([
      ['tickets', 'taken', 'called', 'served', 'abandoned', 'unfinished'],
      ['', ...[tickets.taken, tickets.called, tickets.served, tickets.abandoned, tickets.unfinished].map(grouped)],
    ]),
    '',
    table([
      ['wait', 'count', 'mean', 'p50', 'p90', 'max'],
      row('replay', waits.replay),
      row('oracle', waits.oracle),
      row('trace', waits.trace),
    ]),
    `largest difference from the oracle: ${percent(report.wait_deviation)}`,
    '',
    ...(report.queues.length > 1 ? [queueTable(report.queues), ''] : []),
    table([
      ['double calls', 'missed calls', 'lost events', 'duplicated', 'events', 'late', 'reconnects', 'visitors told'],
      [
        String(report.double_calls),
        String(report.missed_calls),
        String(events.lost),
        String(events.duplicated),
        grouped(events.held),
        String(events.late),
        grouped(events.reconnects),
        `${visitors.informed} of ${visitors.followed}`,
      ],
    ]),
    '',
    table([
      ['API', 'requests', 'p50 ms', 'p99 ms', 'max ms'],
      ...[['all', api] as const, ...Object.entries(api.by_act)].map(([act, s]) => [
        act,
        grouped(s.count),
        s.p50.toFixed(1),
        s.p99.toFixed(1),
        s.max.toFixed(0),
      ]),
    ]),
    ...(api.retries > 0 ? [`${grouped(api.retries)} requests were sent again`] : []),
    ...Object.entries(report.refusals).map(([what, count]) => `refused ${count} times: ${what}`),
    '',
    report.faults.length === 0
      ? 'No fault: every ticket was served once or left, every event was seen once.'
      : `FAULTS: ${report.faults.join('; ')}`,
  ]
  return `${lines.join('\n')}\n`
}

function queueTable(queues: readonly QueueReport[]): string {
  return table([
    ['queue', 'tickets', 'served', 'abandoned', 'mean', 'p90', 'oracle mean', 'p90', 'trace mean', 'p90'],
    ...queues.map((queue) => {
      const { replay, oracle, trace } = queue.waits_seconds
      return [
        queue.queue,
        ...[queue.tickets, queue.served, queue.abandoned].map(grouped),
        ...[replay, oracle, trace].flatMap((s) => [clock(s.mean), clock(s.p90)]),
      ]
    }),
  ])
}
