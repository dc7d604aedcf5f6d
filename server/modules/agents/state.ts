import type { AgentStatus } from '../../../shared/ticket-status.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { conflict, notFound } from '../../kernel/errors.ts'

/** An agent as boards and events show it. */
export interface AgentFace {
  id: number
  name: string
  site_id: number
  status: AgentStatus
  counter_id: number | null
  counter_name: string | null
  /** Ascending. */
  queue_ids: number[]
}
/** An agent as the operations of tickets need it, under its row's lock. */
export interface AgentState extends AgentFace {
  user_id: number | null
  is_active: boolean
  /** In the order of `queue_ids`. */
  weights: number[]
  /** Calls by ratio so far, each worth 1 / weight; in the order of `queue_ids`. */
  passes: number[]
  call_mode: 'weight' | 'ratio' | 'strict'
  max_wait_seconds: number | null
  skills: string[]
  languages: string[] | null
}

/** `AgentFace` of a row of `agents a`, in `select` or `returning`. */
export const AGENT_FACE = `
  a.id, a.name, a.site_id, a.status, a.counter_id,
  (select c.name from counters c where c.tenant_id = a.tenant_id and c.id = a.counter_id) as counter_name,
  array(select s.queue_id from agent_queues s where s.tenant_id = a.tenant_id and s.agent_id = a.id order by 1) as queue_ids`

/** The queues served are read with one look at their index. */
const STATES = `
  select a.id, a.name, a.site_id, a.status, a.counter_id,
         (select c.name from counters c where c.tenant_id = a.tenant_id and c.id = a.counter_id) as counter_name,
         a.user_id, a.is_active, a.call_mode, a.max_wait_seconds, a.skills, a.languages, served.*
  from agents a cross join lateral (
    select coalesce(array_agg(s.queue_id), '{}') as queue_ids, coalesce(array_agg(s.weight), '{}') as weights,
           coalesce(array_agg(s.pass), '{}') as passes
    from (select queue_id, weight, pass from agent_queues w where w.tenant_id = a.tenant_id and w.agent_id = a.id
          order by queue_id) s) served
  where a.id = any($1) order by a.id for no key update of a`

/** The agents that exist, their rows locked in the order of their ids until the transaction ends. */
export async function agentStates(tx: Tx, ids: readonly number[]): Promise<Map<number, AgentState>> {
  const rows = await tx.query<AgentState>(STATES, [ids])
  return new Map(rows.map((row) => [row.id, row]))
}

/** One agent with its row locked. Throws the one not-found error. */
export async function agentState(tx: Tx, id: number): Promise<AgentState> {
  const state = (await agentStates(tx, [id])).get(id)
  if (!state) throw notFound()
  return state
}

/** What boards and events show of an agent. */
const faceOf = ({ id, name, site_id, status, counter_id, counter_name, queue_ids }: AgentFace): AgentFace => ({
  id,
  name,
  site_id,
  status,
  counter_id,
  counter_name,
  queue_ids,
})

const SET_STATUSES = `
  update agents a
  set status = c.status, status_reason = '', expected_return_at = null,
      status_since = case when a.status = c.status then a.status_since else now() end
  from unnest($1::bigint[], $2::text[]) as c(id, status)
  where a.id = c.id`

/**
 * Gives agents the states their tickets put them in (`calling`, `serving`, `wrap_up`, `available`); the rows should be
 * locked already. The faces of agents whose locked states are given are known before the server has answered, so that
 * nothing need be awaited. Emits nothing: the caller's one event carries the answer as `data.agent`, with `agent_id` set, so that
 * a transition stays one event. Agents that do not exist are absent from the answer.
 */
export async function setAgentStatuses(
  tx: Tx,
  changes: readonly { id: number; status: AgentStatus }[],
  locked?: ReadonlyMap<number, AgentState>,
): Promise<Map<number, AgentFace>> {
  const values = [changes.map(({ id }) => id), changes.map(({ status }) => status)]
  if (locked && changes.every(({ id }) => locked.has(id))) {
    // Should it fail, so does the transaction.
    void tx.query(SET_STATUSES, values)
    return new Map(changes.map(({ id, status }) => [id, faceOf({ ...locked.get(id)!, status })]))
  }
  const rows = await tx.query<AgentFace>(`${SET_STATUSES} returning ${AGENT_FACE}`, values)
  return new Map(rows.map((row) => [row.id, row]))
}

/** See `setAgentStatuses`. Throws the one not-found error. */
export async function setAgentStatus(tx: Tx, id: number, status: AgentStatus): Promise<AgentFace> {
  const face = (await setAgentStatuses(tx, [{ id, status }])).get(id)
  if (!face) throw notFound()
  return face
}

/** Throws conflict `code` while the agent has a ticket called or being served. */
export async function refuseWhileBusy(tx: Tx, agentId: number, code: string): Promise<void> {
  const [ticket] = await tx.query(`select from tickets where agent_id = $1 and status in ('appelé', 'en_service')`, [
    agentId,
  ])
  if (ticket) throw conflict(code)
}
