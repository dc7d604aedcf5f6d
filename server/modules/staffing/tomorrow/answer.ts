import Type, { type Static } from 'typebox'
import { STAFF } from '../../../kernel/access.ts'
import { conflict, notFound } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Time } from '../../../kernel/schema.ts'
import { bookOnDay, TAKEN_TWICE } from '../../appointments/index.ts'
import { endForTomorrow } from '../../tickets/index.ts'
import { Offer, OFFER_COLUMNS } from './schema.ts'

const AnswerInput = {
  answer: Enum(['accept', 'decline']),
  /** A free slot of the day, where the queue takes appointments; the earliest when absent. */
  start_at: Type.Optional(Time),
}
const Answered = Closed({
  ...Offer.properties,
  /** The visitor's own page of the appointment; shown once, null without one. */
  appointment_url: Nullable(Type.String()),
})
type Input = Static<ReturnType<typeof Closed<typeof AnswerInput>>>

/** The holder's answer. */
export const answerTomorrow = operation({
  id: 'tickets.answerTomorrow',
  kind: 'mutation',
  summary: 'Take the place that I am offered tomorrow, or stay in line',
  scope: null,
  roles: ['visitor'],
  http: { method: 'POST', path: '/t/{token}/tomorrow/', base: 'root' },
  input: Closed(AnswerInput),
  output: Answered,
  example: { input: { answer: 'accept' } },
  constraints: TAKEN_TWICE,
  run(ctx, input) {
    if (ctx.actor.ticketId === null) throw notFound()
    return answer(ctx, ctx.actor.ticketId, input)
  },
})

/** For people who have their number on paper. */
export const answerTomorrowFor = operation({
  id: 'tickets.answerTomorrowFor',
  kind: 'mutation',
  summary: 'Answer the offer of a place tomorrow for somebody',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/answer-tomorrow/' },
  input: Closed({ id: Id, ...AnswerInput }),
  output: Answered,
  example: { input: { id: 1, answer: 'accept' } },
  constraints: TAKEN_TWICE,
  run: (ctx, { id, ...input }) => answer(ctx, id, input),
})

interface Asked extends Offer {
  site_id: number
  is_over: boolean
  is_waiting: boolean
  customer_id: number | null
  language: 'fr' | 'en' | 'ar' | null
}

/** The offer's row is held until the commit: of two answers the second finds the first. */
const ASKED = `
  select ${OFFER_COLUMNS}, o.site_id, o.expires_at <= clock_timestamp() as is_over, t.status = 'en_attente' as is_waiting,
    t.customer_id, t.language
  from tomorrow_offers o join tickets t on t.tenant_id = o.tenant_id and t.id = o.ticket_id
  where o.ticket_id = $1 for update of o`

/** @throws AppError conflict `offer_over` when it was answered, has expired, or the ticket does not wait any more */
async function answer(ctx: Context, ticketId: number, { answer, start_at }: Input): Promise<Static<typeof Answered>> {
  const asked = await ctx.tx.one<Asked>(ASKED, [ticketId])
  if (asked.status !== 'offered' || asked.is_over || !asked.is_waiting) throw conflict('offer_over')
  const isAccepted = answer === 'accept'
  const booked = isAccepted
    ? await bookOnDay(ctx, {
        queue_id: asked.queue_id,
        day: asked.day,
        start_at,
        customer_id: asked.customer_id,
        language: asked.language,
      })
    : null
  const offer = await ctx.tx.one<Offer>(
    `update tomorrow_offers o set status = $2, answered_at = now(), appointment_id = $3 where o.ticket_id = $1
     returning ${OFFER_COLUMNS}`,
    [ticketId, isAccepted ? 'accepted' : 'declined', booked?.appointment.id ?? null],
  )
  if (isAccepted) await endForTomorrow(ctx, ticketId)
  ctx.emit({
    type: `ticket.tomorrow_${isAccepted ? 'accepted' : 'declined'}`,
    site_id: asked.site_id,
    queue_id: asked.queue_id,
    ticket_id: ticketId,
    data: { day: offer.day, place: offer.place, appointment_id: offer.appointment_id },
  })
  return { ...offer, appointment_url: booked && ctx.url(`/a/${booked.token}`) }
}
