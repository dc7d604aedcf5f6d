import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { conflict, invalid, notFound } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Time } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { holdOrder, shiftMoves, slotAt } from './order.ts'
import { Reason, Ticket } from './schema.ts'
import type { Row } from './sql.ts'
import { freeSeat, newLeg, transition } from './transition.ts'

const Input = Closed({
  id: Id,
  queue_id: Type.Optional(Id),
  /** Only this agent may call it. */
  agent_id: Type.Optional(Id),
  /** Only who sits at this counter may call it. */
  counter_id: Type.Optional(Id),
  position: Type.Optional(Enum(['arrival', 'first', 'last'], { default: 'arrival' })),
  not_before: Type.Optional(Time),
  reason: Type.Optional(Reason),
})
type Input = Static<typeof Input>

/** To another queue, counter or agent of the site. */
export const transfer = operation({
  id: 'tickets.transfer',
  kind: 'mutation',
  summary: 'Transfer a ticket to another queue, counter or agent',
  description: 'Number and time of arrival are kept; the leg in the old queue is closed with its own times.',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/transfer/' },
  // Whoever serves one queue sends people on to others; the site stays the same.
  elsewhere: ['queue_id', 'agent_id', 'counter_id'],
  input: Input,
  output: Ticket,
  example: { input: { id: 1, queue_id: 2, position: 'arrival' } },
  constraints: {
    tickets_one_per_device: () => conflict('duplicate_ticket', { number: '' }),
    tickets_one_per_customer: () => conflict('duplicate_ticket', { number: '' }),
  },
  pool: 'calls',

  async run(ctx, input) {
    if (input.queue_id === undefined && input.agent_id === undefined && input.counter_id === undefined) {
      throw invalid('/queue_id', 'required')
    }
    const [, ticket] = await Promise.all([
      holdOrder(ctx, input.queue_id === undefined ? { ticket_id: input.id } : { queue_id: input.queue_id }),
      transition(ctx, 'transfer', input.id, async (row) => {
        const target = await queueConfig(ctx, input.queue_id ?? row.queue_id)
        if (target.site_id !== row.site_id) throw conflict('other_site')
        if (!target.is_active) throw conflict('queue_inactive')
        await checkReceiver(ctx, row, input)
        // Nobody may delete a queue that ever had a ticket: its counter keeps it.
        await ctx.tx.query(
          `insert into queue_days (queue_id, day, issued, last_arrival_at)
           values ($1, (now() at time zone $2)::date, 0, now()) on conflict do nothing`,
          [target.id, target.timezone],
        )
        const slot = await slotAt(ctx, row, target, input.position ?? 'arrival')
        return {
          changes: {
            ...newLeg(row),
            queue_id: target.id,
            service_id: target.service_id,
            ...slot.place,
            not_before: input.not_before ?? null,
            reserved_agent_id: input.agent_id ?? null,
            reserved_counter_id: input.counter_id ?? null,
          },
          seat: freeSeat(row),
          reason: input.reason,
          also: await shiftMoves(ctx, slot.shifted, ctx.actor),
        }
      }),
    ])
    return ticket
  },
})

/** The agent or counter must be at work at the ticket's site. */
async function checkReceiver(ctx: Context, row: Row, { queue_id, agent_id, counter_id }: Input): Promise<void> {
  if (agent_id === undefined && counter_id === undefined) {
    if (queue_id === row.queue_id) throw conflict('same_queue')
    return
  }
  for (const [table, id, code] of [
    ['agents', agent_id, 'agent_inactive'],
    ['counters', counter_id, 'counter_inactive'],
  ] as const) {
    if (id === undefined) continue
    const found = await ctx.tx.maybe<{ site_id: number; is_active: boolean }>(
      `select site_id, is_active from ${table} where id = $1`,
      [id],
    )
    if (!found) throw notFound()
    if (found.site_id !== row.site_id) throw conflict('other_site')
    if (!found.is_active) throw conflict(code)
  }
}
