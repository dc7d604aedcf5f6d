import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Time } from '../../kernel/schema.ts'
import { Agent, agentById, constraints } from './agent.ts'
import { Reason, SettableStatus } from './schema.ts'
import { AGENT_FACE, agentState, refuseWhileBusy, type AgentFace, type AgentState } from './state.ts'
import { mayActAs } from './permission.ts'

/** Goes to work, on a break or home; sits down at a counter or leaves it. */
export const setStatus = operation({
  id: 'agents.setStatus',
  kind: 'mutation',
  summary: 'Set an agent’s status and counter',
  description:
    'Refused while a ticket is called or being served (`agent_busy`). Going offline leaves the counter. A counter somebody sits at is refused (`counter_taken`) unless `take_over` is true and that agent has no ticket there.',
  scope: 'write:agent',
  roles: STAFF,
  http: {
    method: 'POST',
    path: '/agents/{id}/set-status/',
    aliases: [{ method: 'PATCH', path: '/api/agents/{id}/status/' }],
  },
  input: Closed({
    id: Id,
    status: SettableStatus,
    reason: Type.Optional(Reason),
    expected_return_at: Type.Optional(Nullable(Time)),
    counter_id: Type.Optional(Nullable(Id)),
    take_over: Type.Optional(Type.Boolean({ default: false })),
  }),
  output: Agent,
  example: { input: { id: 1, status: 'break', reason: 'Déjeuner', expected_return_at: '2026-11-23T13:00:00Z' } },
  constraints,

  async run(ctx, input) {
    const agent = await agentState(ctx.tx, input.id)
    mayActAs(ctx.actor, agent)
    if (!agent.is_active) throw conflict('agent_inactive')
    await refuseWhileBusy(ctx.tx, agent.id, 'agent_busy')
    const counterId =
      input.status === 'offline' ? null : input.counter_id === undefined ? agent.counter_id : input.counter_id
    if (counterId !== null && counterId !== agent.counter_id) {
      await takeSeat(ctx, agent, counterId, input.take_over === true)
    }
    const [face] = await ctx.tx.query<AgentFace>(
      `update agents a
       set status = $2, status_reason = $3, expected_return_at = $4, counter_id = $5,
           status_since = case when a.status = $2 then a.status_since else now() end
       where a.id = $1
         and (a.status, a.status_reason, a.expected_return_at, a.counter_id) is distinct from ($2, $3, $4::timestamptz, $5::bigint)
       returning ${AGENT_FACE}`,
      [agent.id, input.status, input.reason ?? '', input.expected_return_at ?? null, counterId],
    )
    if (face) emitStatus(ctx, face)
    return agentById(ctx.tx, agent.id)
  },
})

function emitStatus(ctx: Context, agent: AgentFace): void {
  ctx.emit({ type: 'agent.status_changed', site_id: agent.site_id, agent_id: agent.id, data: { agent } })
}

/** Makes sure the counter is one of the site and free; whoever sits there is sent off the seat when that is asked. */
async function takeSeat(ctx: Context, agent: AgentState, counterId: number, isTakeOver: boolean): Promise<void> {
  const [counter] = await ctx.tx.query('select from counters where id = $1 and site_id = $2 and is_active', [
    counterId,
    agent.site_id,
  ])
  if (!counter) throw invalid('/counter_id', 'not_found')
  if (!isTakeOver) return
  const [other] = await ctx.tx.query<{ id: number }>('select id from agents where counter_id = $1 for no key update', [
    counterId,
  ])
  if (!other) return
  await refuseWhileBusy(ctx.tx, other.id, 'counter_taken')
  const face = await ctx.tx.one<AgentFace>(
    `update agents a
     set counter_id = null, status = 'offline', status_reason = '', expected_return_at = null, status_since = now()
     where a.id = $1 returning ${AGENT_FACE}`,
    [other.id],
  )
  emitStatus(ctx, face)
}
