import { randomInt } from 'node:crypto'
import { conflict, invalid } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { availability, type BookingQueue } from './availability.ts'
import { expireHolds } from './expire.ts'
import { freeResource, placesAt } from './grid.ts'
import { freeDays, gridOf, localClock } from './slots.ts'

/** A place that is free, and everything that follows from taking it. */
export interface Place {
  start_at: string
  end_at: string
  busy_from: string
  busy_until: string
  day: string
  counter_id: number | null
  agent_id: number | null
}
interface Wish {
  site_id: number
  queue_id: number
  timezone: string
  start_at: string
  party_size: number
  /** Strangers book the slots they are shown; staff any time while the doors are open. */
  isStranger: boolean
  /** It is offered to who waited for it. */
  isOffer?: boolean
  /** The appointment that is being moved. */
  except_id?: number
}

/** Instants and days are told up to the year 2999, in every zone; an appointment ends before. */
const LAST_END = Temporal.Instant.from('2999-12-31T00:00:00Z').epochMilliseconds

/** Bookings of a site pass one at a time: whoever waits here sees what those before have taken. */
export const lockSite = (ctx: Context, siteId: number) =>
  ctx.tx.one('select from sites where id = $1 for no key update', [siteId])

/**
 * Finds a place for a wish. The site's row must be locked, and stays so until the commit. Beside it the database itself
 * refuses a counter or an agent that is taken twice.
 * @throws AppError conflict `not_bookable` or `slot_taken`, invalid_input `past` or `range` at `/start_at`
 */
export async function findPlace(ctx: Context, wish: Wish): Promise<Place> {
  await expireHolds(ctx, wish.site_id)
  const clock = localClock(wish.timezone)
  const start = Temporal.Instant.from(wish.start_at).epochMilliseconds
  const { date } = clock(start)
  const facts = await availability(ctx.tx, {
    site_id: wish.site_id,
    from: date,
    to: date,
    queue_ids: [wish.queue_id],
    except_id: wish.except_id,
  })
  if (wish.isOffer) facts.waiters = []
  const [queue] = facts.queues
  if (!queue) throw conflict('not_bookable')
  if (start < Temporal.Instant.from(facts.now).epochMilliseconds) throw invalid('/start_at', 'past')
  if (start + queue.duration_seconds * 1000 > LAST_END) throw invalid('/start_at', 'range')
  if (wish.isStranger) {
    if (!gridOf(facts.days, queue).includes(start)) throw invalid('/start_at', 'range')
    const slot = freeDays(facts, queue, clock)
      .get(date)
      ?.find((each) => each.start === start)
    if (!slot || slot.places < wish.party_size) throw conflict('slot_taken')
  } else {
    const end = start + queue.duration_seconds * 1000
    const isWithin = facts.days.some(({ spans }) =>
      spans.some((span) => span.start.epochMilliseconds <= start && end <= span.end.epochMilliseconds),
    )
    if (!isWithin) throw invalid('/start_at', 'range')
    if (placesAt([start], queue, facts.taken)[0]! < wish.party_size) throw conflict('slot_taken')
  }
  const resource = queue.resource === 'none' ? null : freeResource(start, queue, facts.taken)
  return {
    ...spanOf(start, queue),
    day: date,
    counter_id: queue.resource === 'counters' ? resource : null,
    agent_id: queue.resource === 'agents' ? resource : null,
  }
}

function spanOf(start: number, queue: BookingQueue) {
  const at = (seconds: number) => Temporal.Instant.fromEpochMilliseconds(start + seconds * 1000).toString()
  const { duration_seconds, buffer_before_seconds, buffer_after_seconds } = queue
  return {
    start_at: at(0),
    end_at: at(duration_seconds),
    busy_from: at(-buffer_before_seconds),
    busy_until: at(duration_seconds + buffer_after_seconds),
  }
}

const FREE_CODE = `
  select c.code from unnest($2::text[]) as c(code)
  where not exists (select from appointments a where a.site_id = $1 and a.code = c.code
    and a.status in ('held', 'pending', 'booked', 'checked_in')) limit 1`

/** Six digits for the kiosk that no live appointment of the site has. The site's row must be locked. */
export async function freeCode(ctx: Context, siteId: number): Promise<string> {
  const candidates = Array.from({ length: 20 }, () => String(randomInt(1_000_000)).padStart(6, '0'))
  const { code } = await ctx.tx.one<{ code: string }>(FREE_CODE, [siteId, candidates])
  return code
}
