import type { Actor } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { agentState, mayActAs, type AgentState } from '../agents/index.ts'
import type { QueueConfig } from '../queues/index.ts'
import { advance, type Move } from './transition.ts'
import type { Desk } from './assign.ts'
import type { Row } from './sql.ts'

/** An agent free to call somebody. Throws why not. */
export function readyDesk(actor: Actor, agent: AgentState): Desk {
  mayActAs(actor, agent)
  if (!agent.is_active) throw conflict('agent_inactive')
  if (agent.status === 'calling' || agent.status === 'serving') throw conflict('agent_busy')
  if (agent.status !== 'available' && agent.status !== 'wrap_up') throw conflict('agent_not_available')
  if (agent.counter_id === null) throw conflict('agent_without_counter')
  const { queueIds: limits } = actor
  const served = agent.queue_ids.map((id, i) => [id, { weight: agent.weights[i]!, pass: agent.passes[i]! }] as const)
  const queues = new Map(served.filter(([id]) => !limits || limits.includes(id)))
  if (queues.size === 0) throw conflict('agent_does_not_serve_queue')
  return {
    agent_id: agent.id,
    counter_id: agent.counter_id,
    queues,
    ...(limits && { limits }),
    call_mode: agent.call_mode,
    max_wait_seconds: agent.max_wait_seconds,
    skills: agent.skills,
    languages: agent.languages,
  }
}

/** The agent a caller means, locked: the one named, or the caller's own at the site. */
export async function agentFor(ctx: Context, siteId: number, agentId: number | undefined): Promise<AgentState> {
  if (agentId !== undefined) return agentState(ctx.tx, agentId)
  const own = await ctx.tx.maybe<{ id: number }>('select id from agents where user_id = $1 and site_id = $2', [
    ctx.actor.userId,
    siteId,
  ])
  if (!own) throw conflict('agent_required')
  return agentState(ctx.tx, own.id)
}

/** The moves of a call: called, and where no arrival is confirmed the service begins at once. */
export function callMoves(row: Row, agent: AgentState, config: QueueConfig, actor: Actor): Move[] {
  const called = advance(
    'call',
    row,
    {
      changes: {
        agent_id: agent.id,
        counter_id: agent.counter_id,
        counter_name: agent.counter_name,
        call_count: row.call_count + 1,
        called_at: row.now,
        last_called_at: row.now,
      },
      seat: { id: agent.id, status: 'calling' },
    },
    actor,
  )
  if (config.confirm_arrival) return [called]
  const seat = { id: agent.id, status: 'serving' } as const
  return [called, advance('start', called.after, { changes: { started_at: row.now }, seat }, actor)]
}
