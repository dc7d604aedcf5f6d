import { forecastArrivals } from '../../../shared/staffing/forecast.ts'
import type { SiteDesk } from '../../../shared/staffing/site.ts'
import type { Context } from '../../kernel/operation.ts'
import { freshQueueConfig, openState, queueConfigs, type QueueConfig } from '../queues/index.ts'
import { arrivalsByQueue, HALF_HOUR_SECONDS } from './arrivals.ts'

/** People of one queue a simulation takes in: enough for any branch, few enough for half a second. */
export const MOST_VISITS = 3000

/** Somebody who waits, as the order of service sees it. */
interface Waiter {
  id: number
  queue_id: number
  rank: number
  waited: number
  required_skill: string | null
  language: string | null
  reserved_for: number | null
}
/** A queue at this moment, with what is likely to come. */
interface QueueOutlook {
  config: QueueConfig
  service_seconds: number
  waiting: Waiter[]
  /** People a second expected at so many seconds from now. */
  rate(seconds: number): number
}
/** An agent at work. */
export interface DeskOutlook extends Omit<SiteDesk, 'free_at'> {
  /** The queue of the ticket at the counter. */
  serving: number | null
}
/** The queue asked about at this moment, and the others that its agents serve: what they do decides who is called here. */
export interface Outlook {
  now: string
  queue_id: number
  queue: QueueConfig
  queues: ReadonlyMap<number, QueueOutlook>
  desks: DeskOutlook[]
  /** Agents at work who serve the queue. */
  counters: number
  waiting: Waiter[]
  /** Until the doors close; null when they do not, or are closed. */
  seconds_to_close: number | null
}

interface DeskRow extends Omit<DeskOutlook, 'queues'> {
  queues: { queue_id: number; weight: number; pass: number }[]
}
const DESKS = `
  select a.id, a.call_mode, a.max_wait_seconds, a.skills, a.languages,
    (select t.queue_id from tickets t where t.agent_id = a.id and t.status in ('appelé', 'en_service') limit 1) as serving,
    coalesce((select json_agg(json_build_object('queue_id', w.queue_id, 'weight', w.weight, 'pass', w.pass) order by w.queue_id)
              from agent_queues w where w.agent_id = a.id), '[]') as queues
  from agents a
  where a.site_id = $1 and a.is_active and a.status in ('available', 'calling', 'serving', 'wrap_up') order by a.id`
const STATES = 'select queue_id, service_seconds from queue_states where queue_id = any($1)'
const WAITING = `
  select w.* from unnest($1::bigint[]) as q(id) cross join lateral (
    select t.id, t.queue_id, t.rank, greatest(0, extract(epoch from now() - t.entered_at))::float8 as waited, t.required_skill, t.language,
      coalesce(t.reserved_agent_id, (select a.id from agents a where a.counter_id = t.reserved_counter_id limit 1)) as reserved_for
    from tickets t where t.queue_id = q.id and t.status = 'en_attente' order by t.rank, t.id limit ${MOST_VISITS}) w`

/** @throws AppError not_found */
export async function outlookOf(ctx: Context, queueId: number): Promise<Outlook> {
  const queue = await freshQueueConfig(ctx, queueId)
  const [{ now }, rows] = await Promise.all([
    ctx.tx.one<{ now: string }>('select now() as now'),
    ctx.tx.query<DeskRow>(DESKS, [queue.site_id]),
  ])
  const all = rows.map((row) => ({
    ...row,
    queues: new Map(row.queues.map(({ queue_id, weight, pass }) => [queue_id, { weight, pass }])),
  }))
  const { ids, desks } = together(queueId, all)
  const [configs, states, waiting, history] = await Promise.all([
    queueConfigs(ctx, ids),
    ctx.tx.query<{ queue_id: number; service_seconds: number }>(STATES, [ids]),
    ctx.tx.query<Waiter>(WAITING, [ids]),
    arrivalsByQueue(ctx, ids),
  ])
  const local = Temporal.Instant.from(now).toZonedDateTimeISO(queue.timezone)
  const start = (local.hour * 60 + local.minute) * 60 + local.second
  const queues = new Map(
    states.map(({ queue_id, service_seconds }) => {
      const forecast = forecastArrivals(history.get(queue_id) ?? [], local.toPlainDate().toString())
      const rate = (seconds: number) =>
        (forecast[Math.floor((start + seconds) / HALF_HOUR_SECONDS)] ?? 0) / HALF_HOUR_SECONDS
      const own = waiting.filter((one) => one.queue_id === queue_id)
      return [queue_id, { config: configs.get(queue_id)!, service_seconds, waiting: own, rate }]
    }),
  )
  const { closes_at } = openState(queue, now)
  return {
    now,
    queue_id: queueId,
    queue,
    queues,
    desks,
    counters: desks.filter((desk) => desk.queues.has(queueId)).length,
    waiting: queues.get(queueId)?.waiting ?? [],
    seconds_to_close: closes_at && closes_at.since(Temporal.Instant.from(now)).total('seconds'),
  }
}

/** The queues that share agents with this one, directly or through others, and those agents. */
function together(queueId: number, desks: readonly DeskOutlook[]): { ids: number[]; desks: DeskOutlook[] } {
  const ids = new Set([queueId])
  const found = new Set<DeskOutlook>()
  for (let size = -1; size !== found.size;) {
    size = found.size
    for (const desk of desks) {
      if (found.has(desk) || ![...desk.queues.keys()].some((id) => ids.has(id))) continue
      found.add(desk)
      for (const id of desk.queues.keys()) ids.add(id)
    }
  }
  return { ids: [...ids], desks: desks.filter((desk) => found.has(desk)) }
}
