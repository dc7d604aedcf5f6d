import Type from 'typebox'
import { MANAGERS, STAFF } from '../../../kernel/access.ts'
import { conflict } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Day, Enum, Id, Time } from '../../../kernel/schema.ts'
import { freshQueueConfig, type QueueConfig } from '../../queues/index.ts'
import { openingDays } from '../../sites/index.ts'
import { outlookOf } from '../outlook.ts'
import { unservedIn } from '../play.ts'
import { Offer, OFFER_COLUMNS, OFFER_STATUSES } from './schema.ts'

/** How far ahead a place is offered: a holiday and a weekend do not stand in the way. */
const MOST_DAYS = 14
const ANSWER_SECONDS = 900

/** The last ones of the line, in its order; whoever was asked before is not asked again. */
const OFFER = `
  with line as (
    select t.id, t.rank from tickets t where t.queue_id = $1 and t.status = 'en_attente' order by t.rank desc, t.id desc limit $2),
  asked as (select l.id, row_number() over (order by l.rank, l.id) as n from line l
    where not exists (select from tomorrow_offers o where o.ticket_id = l.id)),
  taken as (select coalesce(max(o.place), 0) as places from tomorrow_offers o where o.queue_id = $1 and o.day = $3)
  insert into tomorrow_offers as o (ticket_id, site_id, queue_id, day, place, expires_at)
  select a.id, $4, $1, $3::date, taken.places + a.n, now() + make_interval(secs => $5) from asked a, taken
  returning ${OFFER_COLUMNS}`

/** "You may not be served today: would you take a place tomorrow?" */
export const offerTomorrow = operation({
  id: 'queues.offerTomorrow',
  kind: 'mutation',
  summary: 'Offer the last of a line a place on the next open day',
  description:
    'To those whom the closing forecast leaves unserved, or to the last `count`. They stay in line until they accept: then the ticket ends as cancelled, and they have an appointment where the queue takes some, else a numbered place that goes before everybody who comes on that day. Nobody is asked twice.',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/queues/{id}/offer-tomorrow/' },
  input: Closed({
    id: Id,
    /** As many as the closing forecast leaves unserved when absent. */
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
    /** How long an answer counts. */
    answer_seconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, default: ANSWER_SECONDS })),
  }),
  output: Closed({ day: Day, expires_at: Type.Union([Time, Type.Null()]), offers: Type.Array(Offer) }),
  example: { input: { id: 1, count: 12 } },
  async run(ctx, { id, count, answer_seconds = ANSWER_SECONDS }) {
    // Two supervisors at once number their offers one after the other.
    await ctx.tx.one('select from queues where id = $1 for no key update', [id])
    const queue = await freshQueueConfig(ctx, id)
    const day = await nextDay(ctx, queue)
    const wanted = count ?? unservedIn(await outlookOf(ctx, id))
    const rows = wanted === 0 ? [] : await ctx.tx.query<Offer>(OFFER, [id, wanted, day, queue.site_id, answer_seconds])
    const offers = rows.toSorted((a, b) => a.place - b.place)
    for (const offer of offers) {
      ctx.emit({
        type: 'ticket.tomorrow_offered',
        site_id: queue.site_id,
        queue_id: id,
        ticket_id: offer.ticket_id,
        data: { day, expires_at: offer.expires_at, place: offer.place },
      })
    }
    return { day, expires_at: offers[0]?.expires_at ?? null, offers }
  },
})

/** The local date of the next day on which the doors open. @throws AppError conflict `no_open_day` */
async function nextDay(ctx: Context, { timezone, opening_hours }: QueueConfig): Promise<string> {
  const { today } = await ctx.tx.one<{ today: string }>('select (now() at time zone $1)::date as today', [timezone])
  const from = Temporal.PlainDate.from(today).add({ days: 1 })
  const days = openingDays(opening_hours, timezone, from.toString(), from.add({ days: MOST_DAYS - 1 }).toString())
  const next = days.find(({ spans }) => spans.length > 0)
  if (!next) throw conflict('no_open_day')
  return next.date
}

export const tomorrowOffers = operation({
  id: 'queues.tomorrowOffers',
  kind: 'query',
  summary: 'Who was offered a place on another day, and what they answered',
  description: 'The newest 500, those of the last day first.',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/queues/{id}/tomorrow-offers/' },
  input: Closed({ id: Id, day: Type.Optional(Day), status: Type.Optional(Enum(OFFER_STATUSES)) }),
  output: Closed({ results: Type.Array(Offer) }),
  example: { input: { id: 1, status: 'accepted' } },
  async run(ctx, { id, day = null, status = null }) {
    await ctx.tx.one('select from queues where id = $1', [id])
    return {
      results: await ctx.tx.query<Offer>(
        `select ${OFFER_COLUMNS} from tomorrow_offers o
         where o.queue_id = $1 and ($2::date is null or o.day = $2) and ($3::text is null or o.status = $3)
         order by o.day desc, o.place limit 500`,
        [id, day, status],
      ),
    }
  },
})
