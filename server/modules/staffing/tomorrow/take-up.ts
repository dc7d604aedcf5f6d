import type { Static } from 'typebox'
import { STAFF, systemActor } from '../../../kernel/access.ts'
import { AppError, conflict, notFound } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Id } from '../../../kernel/schema.ts'
import { moveBehind, takeTickets, TakenTicket } from '../../tickets/index.ts'
import { Offer, OFFER_COLUMNS } from './schema.ts'

const TakenUp = Closed({ offer: Offer, ticket: TakenTicket })
const duplicate = () => conflict('duplicate_ticket', { number: '' })
const shared = {
  kind: 'mutation',
  output: TakenUp,
  constraints: { tickets_one_per_device: duplicate, tickets_one_per_customer: duplicate },
} as const

/** "I am back, as promised." */
export const takeUpPlace = operation({
  ...shared,
  id: 'tickets.takeUpPlace',
  summary: 'I have come on the day of my place: give me the ticket',
  description: 'A new ticket with a link of its own, before everybody who has no place.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'POST', path: '/t/{token}/tomorrow/here/', base: 'root', status: 201 },
  input: Closed({}),
  example: { input: {} },
  run(ctx) {
    if (ctx.actor.ticketId === null) throw notFound()
    return takeUp(ctx, ctx.actor.ticketId)
  },
})

export const takeUpPlaceFor = operation({
  ...shared,
  id: 'tickets.takeUpPlaceFor',
  summary: 'Give somebody who has come on the day of their place the ticket',
  description: '`id` is the ticket of the day before. The new one goes before everybody who has no place.',
  scope: 'write:ticket',
  roles: [...STAFF, 'kiosk'],
  http: { method: 'POST', path: '/tickets/{id}/take-up-place/', status: 201 },
  input: Closed({ id: Id }),
  example: { input: { id: 1 } },
  run: (ctx, { id }) => takeUp(ctx, id),
})

interface Due extends Offer {
  site_id: number
  /** Of the offered day against the site's present one: before 0, on it 0, after it. */
  days_late: number
  channel: 'web' | 'qr' | 'kiosk' | 'reception' | 'sms' | 'appointment' | 'api'
  customer_id: number | null
  language: 'fr' | 'en' | 'ar' | null
}
const DUE = `
  select ${OFFER_COLUMNS}, o.site_id, (clock_timestamp() at time zone s.timezone)::date - o.day as days_late, t.channel,
    t.customer_id, t.language
  from tomorrow_offers o join sites s on s.tenant_id = o.tenant_id and s.id = o.site_id
  join tickets t on t.tenant_id = o.tenant_id and t.id = o.ticket_id
  where o.ticket_id = $1 for update of o`

/** The last of those before it in the order of places who still wait. */
const BEFORE = `
  select t.id from tomorrow_offers o
  join tickets t on t.tenant_id = o.tenant_id and t.id = o.new_ticket_id and t.status = 'en_attente' and t.queue_id = o.queue_id
  where o.queue_id = $1 and o.day = $2 and o.place < $3 and o.new_ticket_id is not null
  order by t.rank desc, t.id desc limit 1`

/**
 * @throws AppError conflict `offer_over` where there is no accepted place (an appointment is checked in instead),
 *   `too_early_for_place` before the day; and what refuses any newcomer: closed, full
 */
async function takeUp(ctx: Context, ticketId: number): Promise<Static<typeof TakenUp>> {
  const due = await ctx.tx.one<Due>(DUE, [ticketId])
  if (due.status !== 'accepted' || due.appointment_id !== null || due.days_late > 0) throw conflict('offer_over')
  if (due.days_late < 0) throw conflict('too_early_for_place', { day: due.day })
  const [taken] = await takeTickets(ctx, [
    {
      input: {
        queue_id: due.queue_id,
        channel: due.channel,
        ...(due.customer_id !== null && { customer_id: due.customer_id }),
        ...(due.language !== null && { language: due.language }),
      },
      // Who holds the place may not say these things; the accepted offer has said them.
      actor: { ...systemActor(ctx.tenant.id), principal: ctx.actor.principal },
      locale: ctx.locale,
    },
  ])
  if (taken instanceof AppError) throw taken
  const ticket = taken!
  const before = await ctx.tx.maybe<{ id: number }>(BEFORE, [due.queue_id, due.day, due.place])
  const moved = await moveBehind(ctx, ticket.id, before?.id ?? null, 'place_from_day_before')
  const offer = await ctx.tx.one<Offer>(
    `update tomorrow_offers o set status = 'taken_up', new_ticket_id = $2 where o.ticket_id = $1 returning ${OFFER_COLUMNS}`,
    [ticketId, ticket.id],
  )
  ctx.emit({
    type: 'ticket.place_taken_up',
    site_id: due.site_id,
    queue_id: due.queue_id,
    ticket_id: ticketId,
    data: { new_ticket_id: ticket.id, place: due.place },
  })
  return { offer, ticket: { ...ticket, ...moved, ahead: moved.position === null ? null : moved.position - 1 } }
}
