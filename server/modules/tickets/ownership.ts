import { TicketStatus } from '../../../shared/ticket-status.ts'
import type { Actor } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Row } from './sql.ts'

/** A place at which a person works. */
interface Desk {
  id: number
  user_id: number
  counter_id: number | null
}
type Held = Pick<Row, 'status' | 'agent_id' | 'counter_id'>

/** Is somebody at a counter occupied with it? */
export const isAtCounter = ({ status }: Pick<Row, 'status'>): boolean =>
  status === TicketStatus.called || status === TicketStatus.serving

/**
 * What agents may lay hands on: a ticket at a counter belongs to whoever called it and to whoever sits there. Managers,
 * integrations and the program itself help everybody. Asks the database only when an agent acts.
 */
export async function ownership(tx: Tx, actors: readonly Actor[]) {
  const users = new Set(actors.flatMap(({ role, userId }) => (role === 'agent' && userId !== null ? [userId] : [])))
  const desks = users.size
    ? await tx.query<Desk>('select id, user_id, counter_id from agents where user_id = any($1)', [[...users]])
    : []
  return {
    /** @throws AppError forbidden `not_your_ticket` when it is another's at a counter */
    check(actor: Actor, ticket: Held): void {
      if (actor.role !== 'agent' || !isAtCounter(ticket)) return
      const isOwn = desks.some(
        ({ id, user_id, counter_id }) =>
          user_id === actor.userId &&
          (id === ticket.agent_id || (counter_id !== null && counter_id === ticket.counter_id)),
      )
      if (!isOwn) throw new AppError('forbidden', 'not_your_ticket')
    },
  }
}
