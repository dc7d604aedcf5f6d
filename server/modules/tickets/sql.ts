import { notFound } from '../../kernel/errors.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { agentStates, setAgentStatuses, type AgentFace, type AgentState } from '../agents/index.ts'
import { pick } from './pick.ts'
import type { Ticket } from './schema.ts'

/**
 * A row of `tickets t` as the wire shape, in `select` or `returning`. Position and estimates are figures of the queue,
 * not of the row: they are filled in afterwards (see `withFigures`).
 */
export const TICKET_COLUMNS = `
  t.id, t.site_id, t.queue_id, t.service_id, t.number, t.channel, t.priority, t.status, t.rank, t.customer_id, t.agent_id,
  t.counter_id, (select c.name from counters c where c.tenant_id = t.tenant_id and c.id = t.counter_id) as counter_name,
  t.language, t.labels, t.needs, t.note, t.fields, t.outcome, t.call_count, t.created_at, t.entered_at, t.called_at,
  t.started_at, t.held_at, t.ended_at, t.not_before, t.leg,
  null::int as eta_seconds, null::int as eta_low_seconds, null::int as eta_high_seconds, null::int as position`

/** What a transition may change, with the type of each column. */
const MUTABLE = {
  status: 'text',
  queue_id: 'bigint',
  service_id: 'bigint',
  priority: 'smallint',
  rank: 'bigint',
  is_placed: 'boolean',
  required_skill: 'text',
  rule_ids: 'bigint[]',
  asked_priority: 'smallint',
  appointment_at: 'timestamptz',
  agent_id: 'bigint',
  counter_id: 'bigint',
  reserved_agent_id: 'bigint',
  reserved_counter_id: 'bigint',
  fields: 'jsonb',
  outcome: 'text',
  call_count: 'smallint',
  delay_count: 'smallint',
  held_seconds: 'integer',
  leg: 'smallint',
  entered_at: 'timestamptz',
  not_before: 'timestamptz',
  called_at: 'timestamptz',
  last_called_at: 'timestamptz',
  started_at: 'timestamptz',
  held_at: 'timestamptz',
  ended_at: 'timestamptz',
  undo: 'jsonb',
  undo_until: 'timestamptz',
} as const
const MUTABLE_COLUMNS = Object.keys(MUTABLE) as (keyof typeof MUTABLE)[]

/** The columns an undo puts back. Answers given in between are kept. */
const RESTORED = [
  ...MUTABLE_COLUMNS.filter((column) => column !== 'undo' && column !== 'undo_until' && column !== 'fields'),
  'counter_name',
] as const
export type Restored = Pick<Row, (typeof RESTORED)[number]>
export const restoredColumns = (row: Row): Restored => pick(row, RESTORED)

/** A ticket as transitions see it: its row, locked, and the time of the lock. */
export interface Row extends Ticket {
  reserved_agent_id: number | null
  reserved_counter_id: number | null
  /** Somebody put it where it stands; a new order of the queue leaves it at its place. */
  is_placed: boolean
  /** Only an agent with this skill may call it. */
  required_skill: string | null
  appointment_at: string | null
  /** Rules that took effect on it, in order. */
  rule_ids: number[]
  /** The class people gave it; rules may have raised it. */
  asked_priority: number | null
  last_called_at: string | null
  delay_count: number
  /** Time on hold of this leg, closed intervals only. */
  held_seconds: number
  undo: { verb: string; principal: string; row: Restored } | null
  undo_until: string | null
  /** A phone is to be woken when it is called. */
  wants_push: boolean
  /** The database's clock after the lock; not before what happened to the ticket last, also when that clock was set back. */
  now: string
}

/** Columns of `Row`; to be selected under the ticket's lock. */
export const ROW_COLUMNS = `${TICKET_COLUMNS}, t.reserved_agent_id, t.reserved_counter_id, t.is_placed,
  t.required_skill, t.appointment_at, t.rule_ids, t.asked_priority, t.last_called_at, t.delay_count,
  t.held_seconds, t.undo, t.undo_until, t.wants_push,
  greatest(clock_timestamp(), t.entered_at, t.called_at, t.last_called_at, t.started_at, t.held_at) as now`

const LOCK = `select ${ROW_COLUMNS} from tickets t where t.id = any($1) order by t.id for no key update of t`

/**
 * Locks tickets in the order of their ids until the transaction ends. Locks are taken in the order queue (reorderings
 * only) → an agent who will receive the ticket → tickets → agents who lose one → stream.
 */
export async function lockTickets(tx: Tx, ids: readonly number[]): Promise<Map<number, Row>> {
  const rows = await tx.query<Row>(LOCK, [[...new Set(ids)]])
  return new Map(rows.map((row) => [row.id, row]))
}

/** One ticket, locked. Throws the one not-found error. */
export async function lockTicket(tx: Tx, id: number): Promise<Row> {
  const row = (await lockTickets(tx, [id])).get(id)
  if (!row) throw notFound()
  return row
}

/** The state an agent's ticket puts the agent in. */
export interface Seat {
  id: number
  status: 'available' | 'calling' | 'serving' | 'wrap_up'
}

/** A finished leg of a stay. */
export interface Leg {
  ticket_id: number
  leg: number
  queue_id: number
  agent_id: number | null
  counter_id: number | null
  entered_at: string
  called_at: string | null
  started_at: string | null
  ended_at: string
  held_seconds: number
  ended_by: string
}

const CLOSE = `
  insert into ticket_legs (ticket_id, leg, queue_id, agent_id, counter_id, entered_at, called_at, started_at, ended_at,
    held_seconds, ended_by)
  select l.* from jsonb_to_recordset($1::jsonb) as l(ticket_id bigint, leg smallint, queue_id bigint, agent_id bigint,
    counter_id bigint, entered_at timestamptz, called_at timestamptz, started_at timestamptz, ended_at timestamptz,
    held_seconds integer, ended_by text)`

export async function closeLegs(tx: Tx, legs: readonly Leg[]): Promise<void> {
  if (legs.length) await tx.query(CLOSE, [JSON.stringify(legs)])
}

/** Takes back that a stay's legs from `leg` on were closed. */
export async function reopenLegs(tx: Tx, ticketId: number, leg: number): Promise<void> {
  await tx.query('delete from ticket_legs where ticket_id = $1 and leg >= $2', [ticketId, leg])
}

/**
 * Writes back what changed in locked rows, all with one statement. Its text depends on the columns that changed, of which
 * there are few combinations. The ids are given twice: the planner cannot know how few tickets a list in JSON names.
 */
export async function saveTickets(tx: Tx, changes: readonly { before: Row; after: Row }[]): Promise<void> {
  const columns = MUTABLE_COLUMNS.filter((column) =>
    changes.some(({ before, after }) => before[column] !== after[column]),
  )
  if (columns.length === 0) return
  const given = changes.map(({ after }) => pick(after, ['id', ...columns]))
  await tx.query(saveText(columns), [given.map(({ id }) => id), JSON.stringify(given)])
}
const saveText = (columns: readonly (keyof typeof MUTABLE)[]) => `
  update tickets t set ${columns.map((column) => `${column} = given.${column}`).join(', ')}
  from jsonb_to_recordset($2::jsonb) as given(id bigint, ${columns.map((column) => `${column} ${MUTABLE[column]}`).join(', ')})
  where t.id = any($1) and t.id = given.id`

/**
 * Agents whose tickets changed, their rows locked in the order of their ids first unless they are in `locked`, which
 * holds all of them or none.
 */
export async function seatAgents(
  tx: Tx,
  seats: readonly Seat[],
  locked?: ReadonlyMap<number, AgentState>,
): Promise<Map<number, AgentFace>> {
  if (seats.length === 0) return new Map()
  if (locked) return setAgentStatuses(tx, seats, locked)
  const ids = seats.map(({ id }) => id)
  // Sent together; the second waits on the server for the first.
  const [, faces] = await Promise.all([seats.length > 1 && agentStates(tx, ids), setAgentStatuses(tx, seats)])
  return faces
}
