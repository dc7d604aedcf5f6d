import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Day, Id, Nullable, Time } from '../../kernel/schema.ts'
import type { OpeningDay } from '../sites/index.ts'
import { availability, type Availability, type BookingQueue } from './availability.ts'
import { placesAt, startsIn } from './grid.ts'

/** Days one answer covers. */
const MOST_DAYS = 62

const Slot = Closed({
  start_at: Time,
  /** The site's clock, HH:MM. */
  time: Type.String(),
  /** Still free. */
  places: Type.Integer(),
})
const Slots = Closed({
  site_id: Id,
  /** Times and dates are told in it, wherever the reader is. */
  timezone: Type.String(),
  now: Time,
  services: Type.Array(
    Closed({
      service_id: Id,
      queue_id: Id,
      duration_seconds: Type.Integer(),
      days: Type.Array(Closed({ date: Day, slots: Type.Array(Slot) })),
    }),
  ),
  /** Days that are unlike others of their weekday, and why. */
  exceptions: Type.Array(
    Closed({
      date: Day,
      is_open: Type.Boolean(),
      reason: Closed({
        fr: Type.Optional(Type.String()),
        en: Type.Optional(Type.String()),
        ar: Type.Optional(Type.String()),
      }),
    }),
  ),
  /** The next slot after `to` may be asked for from here; null at the end of the horizon. */
  next_from: Nullable(Day),
})

export const slots = operation({
  id: 'appointments.slots',
  kind: 'query',
  summary: 'Free slots of a site by service and day',
  description: `At most ${MOST_DAYS} days. Days without a free slot are left out; those closed for a reason are listed with it.`,
  scope: 'read:queue',
  roles: [...STAFF, 'kiosk', 'visitor', 'anonymous'],
  http: { method: 'GET', path: '/slots/', aliases: [{ path: '/api/v1/public/{tenant}/slots/' }] },
  input: Closed({
    site: Id,
    /** Every service of the site when absent. */
    service: Type.Optional(Id),
    /** Local dates of the site, both included. */
    from: Day,
    to: Day,
  }),
  output: Slots,
  example: { input: { site: 1, service: 1, from: '2026-12-01', to: '2026-12-31' } },
  async run(ctx, { site, service, from, to }) {
    const days = Temporal.PlainDate.from(from).until(to).days
    if (days < 0 || days >= MOST_DAYS) throw invalid('/to', 'range')
    const { queueIds } = ctx.actor
    return slotsOf(await availability(ctx.tx, { site_id: site, service_id: service, from, to, queue_ids: queueIds }))
  },
})

function slotsOf(facts: Availability): Static<typeof Slots> {
  const clock = localClock(facts.timezone)
  const furthest = Math.max(0, ...facts.queues.map(({ horizon_days }) => horizon_days))
  const end = Temporal.Instant.from(facts.now).toZonedDateTimeISO(facts.timezone).toPlainDate().add({ days: furthest })
  const next = Temporal.PlainDate.from(facts.to).add({ days: 1 })
  return {
    site_id: facts.site_id,
    timezone: facts.timezone,
    now: facts.now,
    services: facts.queues.map((queue) => ({
      service_id: queue.service_id,
      queue_id: queue.queue_id,
      duration_seconds: queue.duration_seconds,
      days: Array.from(freeDays(facts, queue, clock), ([date, free]) => ({
        date,
        slots: free.map(({ start, places }) => {
          const { start_at, time } = clock(start)
          return { start_at, time, places }
        }),
      })),
    })),
    exceptions: facts.days.flatMap(({ date, spans, reason }) =>
      reason && date >= facts.from ? [{ date, is_open: spans.length > 0, reason }] : [],
    ),
    next_from: Temporal.PlainDate.compare(next, end) <= 0 ? next.toString() : null,
  }
}

/** Days of a queue with the slots that a stranger may book now. */
export function freeDays(facts: Availability, queue: BookingQueue, clock: LocalClock) {
  const now = Temporal.Instant.from(facts.now).epochMilliseconds
  const first = now + queue.lead_seconds * 1000
  const last = now + queue.horizon_days * 86_400_000
  const wanted = gridOf(facts.days, queue).filter((start) => start >= first && start <= last)
  const free = placesAt(wanted, queue, facts.taken)
  const waiters = facts.waiters.filter(({ queue_id }) => queue_id === queue.queue_id)
  const days = new Map<string, { start: number; places: number }[]>()
  for (const [i, start] of wanted.entries()) {
    const { date } = clock(start)
    // What opens in the evening before belongs to the day it is on the calendar.
    if (date < facts.from || date > facts.to) continue
    const quota =
      queue.daily_quota === null ? Infinity : queue.daily_quota - (facts.booked.get(`${queue.queue_id} ${date}`) ?? 0)
    const places = Math.min(free[i]!, quota)
    if (places <= 0 || waiters.some((each) => isFor(each, date, places))) continue
    const day = days.get(date)
    if (day) day.push({ start, places })
    else days.set(date, [{ start, places }])
  }
  return days
}

/** What has come free is for those who asked for it first. */
const isFor = (waiter: Availability['waiters'][number], date: string, places: number) =>
  waiter.from_day <= date && date <= waiter.to_day && waiter.party_size <= places

/** Starts of all slots, free or not, in order. */
export function gridOf(days: readonly OpeningDay[], queue: BookingQueue): number[] {
  const spans = days.flatMap(({ spans }) => spans)
  const starts = startsIn(
    spans.map(({ start, end }) => ({ from: start.epochMilliseconds, until: end.epochMilliseconds })),
    queue,
  )
  const isInOrder = starts.every((start, i) => i === 0 || starts[i - 1]! < start)
  return isInOrder ? starts : [...new Set(starts)].sort((x, y) => x - y)
}

/**
 * An instant as the wire and the site's clock write it. Between two changes of the clock its distance from UTC is one, so
 * the calendar is asked once for each such time; services of a site share their starts, so each is written once.
 */
export function localClock(timezone: string) {
  const written = new Map<number, { start_at: string; date: string; time: string }>()
  let from = Infinity
  let until = -Infinity
  let offset = 0
  return (start: number) => {
    let text = written.get(start)
    if (!text) {
      if (start < from || start >= until) {
        const local = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timezone)
        from = start
        until = local.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity
        offset = local.offsetNanoseconds / 1e6
      }
      const local = new Date(start + offset).toISOString()
      const start_at = `${new Date(start).toISOString().slice(0, 19)}Z`
      written.set(start, (text = { start_at, date: local.slice(0, 10), time: local.slice(11, 16) }))
    }
    return text
  }
}
type LocalClock = ReturnType<typeof localClock>
