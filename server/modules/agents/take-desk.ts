import { STAFF } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Text } from '../../kernel/schema.ts'
import { Agent, agentById } from './agent.ts'
import { mayActAs } from './permission.ts'
import { AGENT_FACE, type AgentFace, agentState } from './state.ts'

/** A window of a browser begins to work at the agent's desk; every other window only watches from then on. */
export const takeDesk = operation({
  id: 'agents.takeDesk',
  kind: 'mutation',
  summary: 'Work at an agent’s desk from this window',
  description:
    'For consoles open twice for one agent: the agent’s feed tells the name of the window that works (`desk`), and the others show what it does.',
  scope: 'write:agent',
  roles: STAFF,
  http: { method: 'POST', path: '/agents/{id}/take-desk/' },
  input: Closed({ id: Id, desk: Text(64, { minLength: 1 }) }),
  output: Agent,
  example: { input: { id: 1, desk: '0b5f3a1e-6a52-4f0b-9d53-1f6c2a7be001' } },
  async run(ctx, { id, desk }) {
    mayActAs(ctx.actor, await agentState(ctx.tx, id))
    const [agent] = await ctx.tx.query<AgentFace>(
      `update agents a set desk = $2 where a.id = $1 and a.desk is distinct from $2 returning ${AGENT_FACE}`,
      [id, desk],
    )
    if (agent) ctx.emit({ type: 'agent.desk_taken', site_id: agent.site_id, agent_id: id, data: { agent, desk } })
    return agentById(ctx.tx, id)
  },
})
