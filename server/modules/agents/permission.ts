import type { Actor } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import type { AgentState } from './state.ts'

/** People with the role `agent` act as themselves only; managers and integrations for anybody. Throws `forbidden`. */
export function mayActAs(actor: Actor, agent: Pick<AgentState, 'user_id'>): void {
  if (actor.role === 'agent' && (actor.userId === null || agent.user_id !== actor.userId)) {
    throw new AppError('forbidden', 'forbidden')
  }
}
