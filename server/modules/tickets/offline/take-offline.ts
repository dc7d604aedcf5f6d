import Type from 'typebox'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { conflict, notFound } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Id, Locale, Text, Time } from '../../../kernel/schema.ts'
import { absoluteRank, queueConfig, rankOf, remembers } from '../../queues/index.ts'
import { cancelTicket } from '../cancel.ts'
import { publicTicket } from '../events.ts'
import { figuresOf } from '../live/figures.ts'
import { newcomer, newTicket, seriesOf, type Taking } from '../newcomer.ts'
import { lineLengths, route, tell, withTargets } from '../route.ts'
import { Ticket } from '../schema.ts'
import { remembered } from '../shares.ts'
import { TICKET_COLUMNS } from '../sql.ts'
import { microseconds } from '../time.ts'
import { machineOf } from './machine.ts'

/** Two of these are no further apart than PostgreSQL counts. */
const FURTHEST = 1_000_000_000
const BLOCK = `
  select b.queue_id, b.day::text as day, b.numbers[$2 - b.first_serial + 1] as number,
    greatest(b.leased_at, b.starts_at, least($3::timestamptz, b.expires_at, clock_timestamp())) as arrived_at
  from number_blocks b join devices d on d.id = b.device_id
  where b.id = $1 and (b.device_id = $4 or d.kiosk_id = $5)`
const GIVEN = `
  select id, encode(token_hash, 'hex') as token_hash from tickets
  where series_queue_id = $1 and series_day = $2 and serial = $3`
const INSERT = `
  insert into tickets (site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, priority, rank,
    required_skill, rule_ids, asked_priority, token_hash, language, entered_at, created_at)
  values ($1, $2, $3, ($4::timestamptz at time zone $5)::date, $6, $7, $8, $9, 'kiosk', $10, $11, $12, $13, $14, decode($15, 'hex'), $16, $4, $4)
  returning id, number, rank, created_at`

export const takeOffline = operation({
  id: 'tickets.takeOffline',
  kind: 'mutation',
  summary: 'A ticket machine tells of a number it gave without a network',
  description:
    'With the instant at which the person took it, which counts as the arrival; as late as it is told of, it is not refused because the queue is paused, closed or full by now. Telling of the same number again answers with the same ticket.',
  scope: 'write:ticket',
  roles: ['kiosk'],
  http: { method: 'POST', path: '/tickets/offline/', status: 201 },
  input: Closed({
    block_id: Id,
    serial: Type.Integer({ minimum: -FURTHEST, maximum: FURTHEST }),
    taken_at: Time,
    /** SHA-256 of the secret that the machine made for the visitor’s page. */
    token_hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    language: Type.Optional(Locale),
    /** Idempotency-Key of a ticket that was asked for before and whose answer never came: if it was taken, it is cancelled. */
    instead_of: Type.Optional(Text(255, { minLength: 1 })),
  }),
  output: Ticket,
  example: {
    input: {
      block_id: 1,
      serial: -20,
      taken_at: '2026-03-02T09:00:00Z',
      token_hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      language: 'fr',
    },
  },
  async run(ctx, { block_id, serial, taken_at, token_hash, language, instead_of }) {
    const { tx } = ctx
    const machine = await machineOf(ctx)
    const block = await tx.one<{ queue_id: number; day: string; number: string | null; arrived_at: string }>(BLOCK, [
      block_id,
      serial,
      taken_at,
      machine.id,
      machine.kiosk_id,
    ])
    const { queue_id, day, number } = block
    if (number === null) throw notFound()
    // Held until the commit: what is told twice at once is written once, and nobody is ranked in between.
    await tx.query('select from queue_days where queue_id = $1 and day = $2 for no key update', [queue_id, day])
    const known = await tx.maybe<{ id: number; token_hash: string | null }>(GIVEN, [queue_id, day, serial])
    if (known && known.token_hash !== token_hash) throw conflict('number_given')
    if (known) return await tx.one<Ticket>(`select ${TICKET_COLUMNS} from tickets t where t.id = $1`, [known.id])

    const asked = await queueConfig(ctx, queue_id)
    const taking: Taking = {
      actor: ctx.actor,
      locale: ctx.locale,
      input: { queue_id, channel: 'kiosk', ...(language && { language }) },
    }
    const configs = await withTargets(ctx, new Map([[queue_id, asked]]))
    const lengths = await lineLengths(ctx, configs.values())
    const routed = route(ctx, taking, asked, { configs, lengths, now: block.arrived_at })
    // The person was told this line: rules may say how urgent it is, not that it is another one.
    const config = asked
    const guest = {
      ...(await newcomer(ctx, taking, { ...routed, config }, seriesOf(config), '', block.arrived_at)),
      token_hash,
    }
    const rank = remembers(config)
      ? (await remembered(tx, queue_id, config, [guest.ranked]))[0]!
      : absoluteRank(rankOf(config, guest.ranked), microseconds(block.arrived_at))
    const issued = await tx.one<{ id: number; number: string; rank: number; created_at: string }>(INSERT, [
      config.site_id,
      config.id,
      config.service_id,
      block.arrived_at,
      config.timezone,
      queue_id,
      day,
      serial,
      number,
      guest.priority,
      rank,
      guest.required_skill,
      guest.rule_ids,
      guest.asked_priority,
      token_hash,
      guest.language,
    ])
    const ticket = newTicket(guest, issued)
    if (instead_of !== undefined) await cancelUnheard(ctx, instead_of)
    const [figures] = await figuresOf(ctx, [ticket])
    ctx.emit({
      type: 'ticket.created',
      site_id: ticket.site_id,
      queue_id,
      ticket_id: ticket.id,
      data: {
        ticket: publicTicket(ticket),
        from: null,
        to: TicketStatus.waiting,
        channel: ticket.channel,
        by: ctx.actor.role,
        ...(routed.applied.length && {
          asked: { queue_id, priority: 0 },
          rules: routed.applied.map(({ id }) => id),
        }),
        ...(guest.required_skill !== null && { required_skill: guest.required_skill }),
        // Nobody was promised a time without a network.
        told: null,
      },
    })
    tell(ctx, ticket.id, config, routed.notify)
    const { ahead: _, ...shown } = figures!
    return { ...ticket, ...shown }
  },
})

/** The ticket that was taken under this machine's key, if it was and nobody has called it yet. */
async function cancelUnheard(ctx: Context, key: string): Promise<void> {
  const ticket = await ctx.tx.maybe<{ id: number }>(
    `select t.id from idempotency_keys k join tickets t on t.id = (k.body::jsonb ->> 'id')::bigint
     where k.principal = $1 and k.operation = 'tickets.take' and k.key = $2 and k.status = 201 and t.status = 'en_attente'`,
    [ctx.actor.principal, key],
  )
  if (ticket) await cancelTicket(ctx, ticket.id, 'offline')
}
