import type { Actor } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import type { AgentState } from './state.ts'

/** People with the role `agent` act as themselves only; managers and integrations for anybody. Throws `forbidden`. */
export function mayActAs(actor: Actor, agent: Pick<AgentState, 'user_id'>): void {
  if (actor.role === 'agent' && (actor.userId === null || agent.user_id !== actor.userId)) {
    throw new AppError('forbidden', 'forbidden')
  }
}

/**
 * Whose desk shows what the caller may see: the own one, and of others those that serve no queue beyond the caller's limits.
 * @throws AppError as `mayActAs`; the one not-found error
 */
export async function mayWatch(tx: Tx, actor: Actor, id: number): Promise<void> {
  const agent = await tx.one<{ user_id: number | null; queue_ids: number[] }>(
    `select a.user_id, array(select s.queue_id from agent_queues s where s.tenant_id = a.tenant_id and s.agent_id = a.id) as queue_ids
     from agents a where a.id = $1`,
    [id],
  )
  mayActAs(actor, agent)
  const isOwn = agent.user_id !== null && agent.user_id === actor.userId
  if (actor.queueIds && !isOwn && agent.queue_ids.some((queueId) => !actor.queueIds!.includes(queueId)))
    throw notFound()
}
