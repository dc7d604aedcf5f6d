import type { Direct } from '../../server/kernel/db/index.ts'

interface Call {
  agent: number
  ticket: number
}
/** Who got what: as the callers were told, or as the database has it. Tickets by id. */
export interface Books {
  taken: number[]
  called: Call[]
  completed: number[]
}
export const newBooks = (): Books => ({ taken: [], called: [], completed: [] })

export interface BooksVerdict {
  /** Done more often than somebody was told: a ticket called twice, a take done twice for one request. */
  double: number
  /** Told, and not so. */
  lost: number
  /** Tickets that more than one agent was told to have. */
  shared: number
}

/** Compares what callers were told with what is so. Every request must have been resolved before. */
export function judgeBooks(told: Books, actual: Books): BooksVerdict {
  const pair = ({ agent, ticket }: Call) => `${agent} ${ticket}`
  const verdict = { double: 0, lost: 0, shared: 0 }
  for (const [ours, theirs] of [
    [told.taken, actual.taken],
    [told.called.map(pair), actual.called.map(pair)],
    [told.completed, actual.completed],
  ] as const) {
    const [known, real] = [new Set<number | string>(ours), new Set<number | string>(theirs)]
    verdict.lost += known.difference(real).size
    verdict.double += theirs.length - known.intersection(real).size
  }
  const agents = Map.groupBy(told.called, ({ ticket }) => ticket)
  for (const calls of agents.values()) if (new Set(calls.map(({ agent }) => agent)).size > 1) verdict.shared++
  return verdict
}

/** What the database says of a queue. */
export async function readBooks(owner: Direct['query'], queueId: number): Promise<Books> {
  const tickets = await owner<{ id: number }>('select id from tickets where queue_id = $1', [queueId])
  const events = await owner<{ type: string; ticket_id: number; agent_id: number }>(
    `select type, ticket_id, agent_id from events where queue_id = $1 and type in ('ticket.called', 'ticket.completed')`,
    [queueId],
  )
  const ofType = (type: string) => events.filter((event) => event.type === type)
  return {
    taken: tickets.map(({ id }) => id),
    called: ofType('ticket.called').map(({ ticket_id, agent_id }) => ({ ticket: ticket_id, agent: agent_id })),
    completed: ofType('ticket.completed').map(({ ticket_id }) => ticket_id),
  }
}

/** Missing numbers in a stream's offsets and in a queue's serials; a crash must leave none. */
export async function countHoles(owner: Direct['query'], siteId: number, queueId: number): Promise<number> {
  const [row] = await owner<{ holes: number }>(
    `select ((select last_offset from streams where site_id = $1) - (select count(*) from events where site_id = $1)
       + (select coalesce(sum(holes), 0) from (
            select max(serial) - count(*) as holes from tickets where queue_id = $2 group by series_day) days))::int as holes`,
    [siteId, queueId],
  )
  return row!.holes
}
