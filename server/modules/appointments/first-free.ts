import type { Context } from '../../kernel/operation.ts'
import { availability } from './availability.ts'
import type { Appointment } from './schema.ts'
import { freeDays, localClock } from './slots.ts'

/** Of one reading of what is free, and of the furthest horizon. */
const MOST_DAYS = 62
const MOST_HORIZON_DAYS = 730

/** Somebody who waits for a place, and for how long an offer is kept. */
export interface Waiter {
  id: number
  site_id: number
  queue_id: number
  service_id: number
  timezone: string
  customer_id: number
  from_day: string
  to_day: string
  today: string
  party_size: number
  language: Appointment['language']
  offer_seconds: number
}

/**
 * What is free at a site, by queue and first day. Read once for all who wait and anew after each offer, so that a round
 * costs as much as there are places, however many wait.
 */
export type Stretches = Map<string, Stretch>
interface Stretch {
  now: number
  days: ReturnType<typeof freeDays>
}

/** The first start that suits, and that does not begin before the offer ends. */
export async function firstFree(ctx: Context, waiter: Waiter, stretches: Stretches): Promise<string | undefined> {
  const { from_day, to_day, today, party_size, offer_seconds } = waiter
  const first = Temporal.PlainDate.from(today)
  for (let days = 0; days <= MOST_HORIZON_DAYS; days += MOST_DAYS) {
    const from = first.add({ days }).toString()
    const to = first.add({ days: days + MOST_DAYS - 1 }).toString()
    if (from > to_day) return undefined
    if (to < from_day) continue
    const free = await stretchOf(ctx, waiter, { from, to }, stretches)
    if (!free) return undefined
    const earliest = free.now + offer_seconds * 1000
    for (const [date, slots] of free.days) {
      if (date < from_day || date > to_day) continue
      for (const { start, places } of slots)
        if (places >= party_size && start >= earliest) return localClock(waiter.timezone)(start).start_at
    }
  }
  return undefined
}

/** Undefined where the queue takes no appointments any more. */
async function stretchOf(
  ctx: Context,
  { site_id, queue_id, timezone }: Waiter,
  span: { from: string; to: string },
  stretches: Stretches,
): Promise<Stretch | undefined> {
  const key = `${queue_id} ${span.from}`
  const known = stretches.get(key)
  if (known) return known
  const facts = await availability(ctx.tx, { site_id, queue_ids: [queue_id], ...span })
  const [queue] = facts.queues
  if (!queue) return undefined
  const days = freeDays({ ...facts, waiters: [] }, queue, localClock(timezone))
  const stretch = { now: Temporal.Instant.from(facts.now).epochMilliseconds, days }
  stretches.set(key, stretch)
  return stretch
}
