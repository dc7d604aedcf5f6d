import { forecastArrivals, type SlotCount } from '../../../shared/staffing/forecast.ts'
import { diceOf } from '../../../shared/staffing/dice.ts'
import { playDay, type Visit } from '../../../shared/staffing/day.ts'
import type { Context } from '../../kernel/operation.ts'
import { absoluteRank, freshQueueConfig, openState, rankOf, type QueueConfig } from '../queues/index.ts'

/** How far back a forecast looks. */
const HISTORY_DAYS = 56
const HALF_HOUR_SECONDS = 1800
/** Days played for one answer; more change the figures by less than a minute. */
const ROUNDS = 40
/** People a simulation takes in: enough for any branch, few enough for half a second. */
const MOST_VISITS = 3000

const HISTORY = `
  select to_char(local.at, 'YYYY-MM-DD') as day, floor(extract(epoch from local.at::time) / ${HALF_HOUR_SECONDS})::int as slot, count(*)::int as count
  from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
  join tickets t on t.tenant_id = q.tenant_id and t.queue_id = q.id
    and t.created_at > now() - interval '${HISTORY_DAYS} days'
  cross join lateral (select t.created_at at time zone s.timezone as at) local
  where q.id = any($1) group by 1, 2`

/** Arrivals of past days by half hour, all given queues together. */
export const arrivalHistory = (ctx: Pick<Context, 'tx'>, queueIds: readonly number[]): Promise<SlotCount[]> =>
  ctx.tx.query<SlotCount>(HISTORY, [queueIds])

interface Now {
  now: string
  service_seconds: number
  counters: number
  /** At work with somebody at this moment. */
  busy: number
}
const NOW = `
  select now() as now, st.service_seconds,
    (select count(*)::int from agent_queues w join agents a on a.tenant_id = w.tenant_id and a.id = w.agent_id
     where w.queue_id = st.queue_id and a.status in ('available', 'calling', 'serving', 'wrap_up')) as counters,
    (select count(*)::int from agent_queues w join agents a on a.tenant_id = w.tenant_id and a.id = w.agent_id
     where w.queue_id = st.queue_id and a.status in ('calling', 'serving')) as busy
  from queue_states st where st.queue_id = $1`
const WAITING = `
  select id, rank, extract(epoch from now() - entered_at)::float8 as waited from tickets
  where queue_id = $1 and status = 'en_attente' order by rank, id limit ${MOST_VISITS}`

/** A queue at this moment, with what is likely to come. */
export interface Outlook extends Now {
  queue: QueueConfig
  waiting: { id: number; rank: number; waited: number }[]
  /** Until the doors close; null when they do not, or are closed. */
  seconds_to_close: number | null
  /** People a second expected at so many seconds from now. */
  rate(seconds: number): number
}

export async function outlookOf(ctx: Context, queueId: number): Promise<Outlook> {
  const queue = await freshQueueConfig(ctx, queueId)
  const [state, waiting, history] = await Promise.all([
    ctx.tx.one<Now>(NOW, [queueId]),
    ctx.tx.query<Outlook['waiting'][number]>(WAITING, [queueId]),
    arrivalHistory(ctx, [queueId]),
  ])
  const local = Temporal.Instant.from(state.now).toZonedDateTimeISO(queue.timezone)
  const forecast = forecastArrivals(history, local.toPlainDate().toString())
  const start = (local.hour * 60 + local.minute) * 60 + local.second
  const { closes_at } = openState(queue, state.now)
  return {
    ...state,
    queue,
    waiting,
    seconds_to_close: closes_at && closes_at.since(Temporal.Instant.from(state.now)).total('seconds'),
    rate: (seconds) => (forecast[Math.floor((start + seconds) / HALF_HOUR_SECONDS)] ?? 0) / HALF_HOUR_SECONDS,
  }
}

/** One possible rest of the day. */
export interface Round {
  /** Waits of everybody called: those here already with what they have waited, and who came during the horizon. */
  waits: number[]
  /** When the last one was served, in seconds from now; 0 when nobody is here or comes. */
  last_ended: number
  unserved: number
}

/**
 * Plays what is likely to follow, `ROUNDS` times: those who wait by their real ranks, newcomers by the queue's own order,
 * by chance at the forecast rate, services by chance around the present pace. The same dice for every number of counters,
 * so that two answers differ by the counters and nothing else.
 * @param horizon seconds during which people still come
 * @param until seconds after which nobody is called; Infinity serves everybody
 */
export function playOutlook(outlook: Outlook, counters: number, horizon: number, until = Infinity): Round[] {
  const { queue, waiting, service_seconds, busy } = outlook
  const now = Number(Temporal.Instant.from(outlook.now).epochNanoseconds / 1000n)
  return Array.from({ length: ROUNDS }, (_, round) => {
    const dice = diceOf(round + 1)
    const exponential = (mean: number) => -Math.log(dice()) * mean
    const visits: Visit[] = []
    // Services that go on end by chance too: they hold their counters first.
    for (let i = 0; i < Math.min(busy, counters); i++) {
      visits.push({
        id: -i - 1,
        arrived_at: 0,
        service_seconds: exponential(service_seconds),
        leaves_after: null,
        rank: -Infinity,
      })
    }
    for (const { id, rank } of waiting) {
      visits.push({ id, arrived_at: 0, service_seconds: exponential(service_seconds), leaves_after: null, rank })
    }
    let at = 0
    for (let n = 1; visits.length < MOST_VISITS; n++) {
      // Thinning by steps of a minute: nobody comes while the rate is 0.
      let wanted = exponential(1)
      while (at < horizon && wanted > 0) {
        const rate = outlook.rate(at)
        const step = rate > 0 ? Math.min(60, wanted / rate) : 60
        wanted -= rate * step
        at += step
        if (rate > 0 && wanted <= 1e-12) wanted = 0
      }
      if (at >= horizon) break
      const arrived_at = now + Math.round(at * 1e6)
      const ranked = { priority: 0, channel: 'kiosk', appointment_at: null, arrived_at }
      const rank = absoluteRank(rankOf(queue, ranked), arrived_at)
      visits.push({
        id: Number.MAX_SAFE_INTEGER - MOST_VISITS + n,
        arrived_at: at,
        service_seconds: exponential(service_seconds),
        leaves_after: null,
        rank,
      })
    }
    const since = new Map(visits.map(({ id, arrived_at }) => [id, arrived_at]))
    for (const { id, waited } of waiting) since.set(id, -waited)
    const { served, unserved } = playDay(visits, [{ at: 0, counters }], until)
    const people = served.filter(({ id }) => id > 0)
    return {
      waits: people.map(({ id, called_at }) => called_at - since.get(id)!),
      last_ended: Math.max(0, ...served.map(({ ended_at }) => ended_at)),
      unserved: unserved.length,
    }
  })
}

/** How many of those who wait now or come until closing time would not be served; all where nobody calls, none where it does not close. */
export function unservedIn(outlook: Outlook): number {
  const { counters, waiting, seconds_to_close } = outlook
  if (counters === 0) return waiting.length
  if (seconds_to_close === null) return 0
  return median(playOutlook(outlook, counters, seconds_to_close, seconds_to_close).map((round) => round.unserved))
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
