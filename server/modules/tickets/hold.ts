import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id } from '../../kernel/schema.ts'
import { Reason, Ticket } from './schema.ts'
import { freeSeat, transition } from './transition.ts'

/** Puts a served ticket aside; its agent is free for others. */
export const hold = operation({
  id: 'tickets.hold',
  kind: 'mutation',
  summary: 'Put a served ticket on hold',
  description:
    'Who may take it up again: the same agent (the default), whoever sits at the same counter, or anybody who serves the queue.',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/hold/' },
  input: Closed({
    id: Id,
    pool: Type.Optional(Enum(['agent', 'counter', 'queue'], { default: 'agent' })),
    reason: Type.Optional(Reason),
  }),
  output: Ticket,
  example: { input: { id: 1, pool: 'counter', reason: 'Photocopie' } },
  pool: 'calls',

  run: (ctx, { id, pool = 'agent', reason }) =>
    transition(ctx, 'hold', id, (row) => ({
      changes: {
        held_at: row.now,
        reserved_agent_id: pool === 'agent' ? row.agent_id : null,
        reserved_counter_id: pool === 'counter' ? row.counter_id : null,
      },
      seat: freeSeat(row),
      reason,
    })),
})
