import type { Ticket } from '../../../../shared/board.ts'

/**
 * Fragments of the snapshots. All of a snapshot is read by one statement: what it shows is the state at one offset.
 * Columns are those of `Ticket` in shared/board.ts; times go through the driver, which writes them as events have them.
 */
export const BOARD_FIELDS = {
  id: 'bigint',
  site_id: 'bigint',
  queue_id: 'bigint',
  service_id: 'bigint',
  number: 'text',
  channel: 'text',
  priority: 'smallint',
  status: 'text',
  rank: 'bigint',
  customer_id: 'bigint',
  agent_id: 'bigint',
  counter_id: 'bigint',
  counter_name: 'text',
  language: 'text',
  labels: 'text[]',
  needs: 'text[]',
  call_count: 'smallint',
  created_at: 'timestamptz',
  called_at: 'timestamptz',
  started_at: 'timestamptz',
  ended_at: 'timestamptz',
  not_before: 'timestamptz',
} as const satisfies Record<keyof Ticket, string>

/** A row of `tickets t`. */
export const BOARD_TICKET = Object.keys(BOARD_FIELDS)
  .map((name) =>
    name === 'counter_name'
      ? '(select c.name from counters c where c.tenant_id = t.tenant_id and c.id = t.counter_id) as counter_name'
      : `t.${name}`,
  )
  .join(', ')
/** The columns of a row that carries the snapshot's head instead of a ticket. */
export const NO_TICKET = Object.entries(BOARD_FIELDS)
  .map(([name, type]) => `null::${type} as ${name}`)
  .join(', ')

/** `BoardAgent` of a row of `agents a`, as JSON. */
export const BOARD_AGENT = `
  json_build_object('id', a.id, 'name', a.name, 'status', a.status, 'counter_id', a.counter_id,
    'counter_name', (select c.name from counters c where c.tenant_id = a.tenant_id and c.id = a.counter_id),
    'queue_ids', array(select s.queue_id from agent_queues s where s.tenant_id = a.tenant_id and s.agent_id = a.id order by 1))`

/** JSON array of the agents that serve one of `queues` (an SQL expression of bigint[]), by id. */
export const boardAgents = (queues: string) => `
  (select coalesce(json_agg(${BOARD_AGENT} order by a.id), '[]') from agents a
   where a.id in (select s.agent_id from agent_queues s where s.queue_id = any(${queues})))`

/** JSON array of `QueueSummary`, by id. */
export const queueSummaries = (queues: string) => `
  (select coalesce(json_agg(json_build_object('id', q.id, 'name', q.name, 'status', st.status,
      'service_seconds', st.service_seconds, 'forecast', st.forecast, 'waiting_count', (
        select count(*) from tickets w where w.tenant_id = q.tenant_id and w.queue_id = q.id and w.status = 'en_attente'))
      order by q.id), '[]')
   from queues q join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id where q.id = any(${queues}))`

/**
 * Offset of the last event that `concernsQueues` lets onto a feed of these queues (SQL expressions of bigint and
 * bigint[]). The newest that names a queue is one step in an index; one that changed an agent is looked for from the
 * newest back, at most to the last `agent.*` event, which concerns every board. `also` adds kinds of events of the
 * alias `e` that are in that index too.
 */
export const headOffset = (site: string, queues: string, also = 'false') => `
  greatest(
    (select max(newest."offset") from unnest(${queues}) as wanted(id) cross join lateral (
       select e."offset" from events e where e.queue_id = wanted.id order by e."offset" desc limit 1) newest),
    (select max(newest."offset") from unnest(${queues}) as wanted(id) cross join lateral (
       select e."offset" from events e where e.from_queue_id = wanted.id order by e."offset" desc limit 1) newest),
    (select e."offset" from events e
     where e.site_id = ${site} and (e.agent_id is not null or e.queue_id is null)
       and (e.type like 'agent.%' or ${also} or exists (
         select from jsonb_array_elements_text(e.data -> 'agent' -> 'queue_ids') as served(id)
         where served.id::bigint = any(${queues})))
     order by e."offset" desc limit 1),
    0)`
