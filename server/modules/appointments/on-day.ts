import { conflict } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { availability } from './availability.ts'
import { bookPlace } from './book.ts'
import { newLink } from './links.ts'
import { lockSite } from './place.ts'
import type { Appointment } from './schema.ts'
import { freeDays, localClock } from './slots.ts'

interface Wish {
  queue_id: number
  /** Local date of the site. */
  day: string
  /** One of the free slots; the earliest when undefined. */
  start_at: string | undefined
  customer_id: number | null
  language: Appointment['language']
}

/**
 * Books somebody whom the place itself has asked to come on a day: nothing is left to confirm. Null where the queue takes
 * no appointments, or none is free on that day.
 * @throws AppError conflict `slot_taken` when the slot that was asked for is not free
 */
export async function bookOnDay(
  ctx: Context,
  { day, start_at, ...wish }: Wish,
): Promise<{ appointment: Appointment; token: string } | null> {
  const { site_id } = await ctx.tx.one<{ site_id: number }>('select site_id from queues where id = $1', [wish.queue_id])
  await lockSite(ctx, site_id)
  const facts = await availability(ctx.tx, { site_id, from: day, to: day, queue_ids: [wish.queue_id] })
  const [queue] = facts.queues
  if (!queue) return null
  const clock = localClock(facts.timezone)
  const free = freeDays(facts, queue, clock).get(day) ?? []
  const wanted = start_at === undefined ? undefined : Temporal.Instant.from(start_at).epochMilliseconds
  const slot = wanted === undefined ? free[0] : free.find(({ start }) => start === wanted)
  if (!slot) {
    if (wanted !== undefined) throw conflict('slot_taken')
    return null
  }
  const booking = { ...wish, start_at: clock(slot.start).start_at, isStranger: false, hasEmail: false }
  const appointment = await bookPlace(ctx, booking)
  return { appointment, token: await newLink(ctx.tx, ctx.tenant.id, appointment.id, 'manage') }
}
