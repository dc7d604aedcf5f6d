import type { Static } from 'typebox'
import { nextPasses } from '../../../shared/call-order.ts'
import { STAFF } from '../../kernel/access.ts'
import { AppError, conflict, notFound } from '../../kernel/errors.ts'
import { batchOperation, type Call, type Context } from '../../kernel/operation.ts'
import { Closed, Id, Nullable } from '../../kernel/schema.ts'
import { agentStates } from '../agents/index.ts'
import { queueConfigs } from '../queues/index.ts'
import { callMoves, readyDesk } from './desk.ts'
import { wireTicket } from './events.ts'
import { assign, type Candidate, type Desk } from './assign.ts'
import { Ticket } from './schema.ts'
import { ROW_COLUMNS, type Row } from './sql.ts'
import { commitMoves } from './transition.ts'

const Input = Closed({ id: Id })
const Output = Closed({ ticket: Nullable(Ticket) })

const WAIT = `greatest(0, extract(epoch from statement_timestamp() - t.entered_at))::float8 as wait_seconds`
const IS_DUE = '(t.not_before is null or t.not_before <= clock_timestamp())'
/** Class of the advisory locks by which calls of one queue take turns. */
const CALL_LOCK = 0x736e

const keptFor = (whom: string) => `
    select ${ROW_COLUMNS}, ${WAIT} from tickets t
    where t.status = 'en_attente' and ${IS_DUE} and ${whom} order by t.rank, t.id for no key update of t`

/** Not `coalesce`, which the planner does not know to be leakproof: behind row security it would use no index. */
const orNone = (column: string) => `case when t.${column} is null then '' else t.${column} end`
const heads = (whom: string) => `
    select ${ROW_COLUMNS}, ${WAIT} from tickets t
    where t.queue_id = scans.queue_id and t.status = 'en_attente' and ${IS_DUE}
      and t.reserved_agent_id is null and t.reserved_counter_id is null and ${whom}
    order by t.rank, t.id limit scans.agents for no key update of t`

/**
 * The first callable tickets of every queue the given agents serve, as many of each as there are agents who might take
 * them, and those kept for one of them or their counters; all locked. Calls of one queue take turns (an advisory lock
 * held until the commit), so that none overtakes another; a ticket somebody else is changing is waited for, not skipped.
 * Agents who can serve the same people share one scan from the head. Where some cannot be served, each kind of ticket
 * that can is looked at from its own head: nobody else is read, however many stand before.
 */
export const CANDIDATES = `
  with ready as (
    select id, counter_id, skills, languages from agents
    where id = any($1) and is_active and status in ('available', 'wrap_up') and counter_id is not null),
  scans as materialized (
    select queue_id, skills, languages, agents, pg_advisory_xact_lock(${CALL_LOCK}, (queue_id % 2147483647)::int),
      languages is not null or exists (
        select from tickets w where w.queue_id = served.queue_id and w.status = 'en_attente' and w.required_skill is not null
      ) as by_kind
    from (
      select s.queue_id, skills, languages, (sum(count(*)) over (partition by s.queue_id))::bigint as agents
      from agent_queues s join ready on ready.id = s.agent_id
      group by s.queue_id, skills, languages order by s.queue_id) served)
  select head.* from scans cross join lateral (${heads('t.required_skill is null')}) head where not scans.by_kind
  union all
  select head.* from scans
    cross join unnest(''::text || scans.skills) as skill
    cross join unnest(''::text || coalesce(scans.languages, '{fr,en,ar}')) as spoken
    cross join lateral (${heads(`${orNone('required_skill')} = skill and ${orNone('language')} = spoken`)}) head
  where scans.by_kind
  union all
  select * from (${keptFor('t.reserved_agent_id = any(array(select id from ready))')}) for_agents
  union all
  select * from (${keptFor('t.reserved_agent_id is null and t.reserved_counter_id = any(array(select counter_id from ready))')}) for_counters`

/** Calls by ratio are counted; the agents' rows are locked. */
const COUNT_CALLS = `
  update agent_queues s set pass = c.pass from jsonb_to_recordset($1::jsonb) as c(agent_id bigint, queue_id bigint, pass float8)
  where s.agent_id = c.agent_id and s.queue_id = c.queue_id`

/** See `tickets.callNext`: one answer or refusal a call, in order. */
export async function callNextTickets(
  ctx: Context,
  calls: readonly Call<Static<typeof Input>>[],
): Promise<(Static<typeof Output> | AppError)[]> {
  const ids = [...new Set(calls.map(({ input }) => input.id))]
  const [agents, found] = await Promise.all([
    agentStates(ctx.tx, ids),
    ctx.tx.query<Row & Candidate>(CANDIDATES, [ids]),
  ])
  // Two scans of a queue may find the same.
  const candidates = [...new Map(found.map((row) => [row.id, row])).values()].sort(
    (a, b) => a.rank - b.rank || a.id - b.id,
  )
  const desks = new Map<number, { desk: Desk; caller: number }>()
  const refusals = calls.map(({ actor, input: { id } }, i) => {
    try {
      const agent = agents.get(id)
      if (!agent) throw notFound()
      const desk = readyDesk(actor, agent)
      if (!desks.has(id)) desks.set(id, { desk, caller: i })
      return undefined
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  })
  const picked = assign(
    [...desks.values()].map(({ desk }) => desk),
    candidates,
  )
  const configs = await queueConfigs(ctx, [...new Set([...picked.values()].map(({ queue_id }) => queue_id))])
  const moves = new Map(
    [...picked].map(([agentId, row]) => {
      const { actor } = calls[desks.get(agentId)!.caller]!
      return [agentId, callMoves(row, agents.get(agentId)!, configs.get(row.queue_id)!, actor)]
    }),
  )
  const counted = [...picked].flatMap(([agent_id, { queue_id }]) => {
    const { desk } = desks.get(agent_id)!
    return desk.call_mode === 'ratio' ? nextPasses(desk, queue_id).map((next) => ({ agent_id, ...next })) : []
  })
  if (counted.length) void ctx.tx.query(COUNT_CALLS, [JSON.stringify(counted)])
  await commitMoves(ctx, [...moves.values()].flat(), agents)
  return calls.map(({ input: { id } }, i) => {
    if (refusals[i]) return refusals[i]
    const own = moves.get(id)
    if (!own) return { ticket: null }
    // The same agent asked twice at once.
    if (desks.get(id)!.caller !== i) return conflict('agent_busy')
    return { ticket: wireTicket(own.at(-1)!.after) }
  })
}

export const callNext = batchOperation({
  id: 'tickets.callNext',
  kind: 'mutation',
  summary: 'Call the next ticket to this agent',
  description:
    'Of the first tickets of the queues served, the one that the agent’s way of calling puts first (weight × time waited, a ratio of calls, or the heaviest queue first; always whoever has waited longer than the agent’s limit); null when there is nobody the agent may serve. Each waiting ticket goes to exactly one agent, and calls of one queue follow its order without inversion.',
  scope: 'call:ticket',
  roles: STAFF,
  http: { method: 'POST', path: '/agents/{id}/call-next/' },
  input: Input,
  output: Output,
  example: { input: { id: 1 } },
  constraints: { tickets_one_per_agent: () => conflict('agent_busy') },
  pool: 'calls',
  runMany: callNextTickets,
})
