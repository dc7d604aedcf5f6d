import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { holdOrder, shiftMoves, waitingFrom } from './order.ts'
import { placeAfter } from './rules.ts'
import { Ticket } from './schema.ts'
import type { Row } from './sql.ts'
import { plusSeconds } from './time.ts'
import { transition, type Step } from './transition.ts'

/** Either lets people pass, or asks for time. */
export const Postponement = {
  places: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
  minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 120 })),
}
const Input = Closed({ id: Id, ...Postponement })

/** Lets others go first. */
export const delay = operation({
  id: 'tickets.delay',
  kind: 'mutation',
  summary: 'Let others pass, or ask for time',
  description:
    'Either `places` or `minutes`, as often as the queue’s budget allows (`delay_budget`). Nobody gains a place by it; with `minutes` the place is kept and the ticket is not called before.',
  scope: 'write:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/tickets/{id}/delay/' },
  input: Input,
  output: Ticket,
  example: { input: { id: 1, places: 2 } },
  run: delayTicket,
})

export async function delayTicket(ctx: Context, { id, places, minutes }: Static<typeof Input>): Promise<Ticket> {
  if ((places === undefined) === (minutes === undefined)) {
    throw invalid(places === undefined ? '/places' : '/minutes', places === undefined ? 'required' : 'conflict')
  }
  const [, ticket] = await Promise.all([
    holdOrder(ctx, { ticket_id: id }),
    transition(ctx, 'delay', id, async (row) => {
      const { delay_budget } = await queueConfig(ctx, row.queue_id)
      if (row.delay_count >= delay_budget) throw conflict('delay_budget', { limit: delay_budget })
      const delay_count = row.delay_count + 1
      if (minutes === undefined) return letPass(ctx, row, places!, delay_count)
      return { changes: { delay_count, not_before: plusSeconds(row.now, minutes * 60) } }
    }),
  ])
  return ticket
}

async function letPass(ctx: Context, row: Row, places: number, delay_count: number): Promise<Step> {
  const behind = await waitingFrom(ctx, row.queue_id, row, row)
  const last = behind[Math.min(places, behind.length) - 1]
  if (!last) throw conflict('already_last')
  const slot = placeAfter(last, behind.slice(behind.indexOf(last) + 1), row.id)!
  return {
    changes: { delay_count, rank: slot.rank, is_placed: true },
    also: await shiftMoves(ctx, slot.shifted, ctx.actor),
  }
}
