import type { Direct } from '../../server/kernel/db/direct.ts'
import type { Asked, Told } from './day.ts'
import type { Desk } from './towns.ts'

interface Line {
  queue_id: number
  waiting: number[]
  called: number[]
}
const LINES = `
  select queue_id, coalesce(array_agg(id order by rank, id) filter (where status = 'en_attente'), '{}') as waiting,
    coalesce(array_agg(id order by id) filter (where status in ('appelé', 'en_service')), '{}') as called
  from tickets where ended_at is null group by 1`

interface Board {
  waiting_count: number
  waiting: { id: number }[]
  called: { id: number }[]
}

export interface BoardReport {
  /** People in all lines, waiting or being served, by the tables. */
  people: number
  /** Boards that showed other people than the tables, or in another order. */
  differing: number
}

/** Compares every queue's board, as the program keeps it, with the tables. Nobody may act meanwhile. */
export async function compareBoards(query: Direct['query'], desks: readonly Desk[], ask: Asked): Promise<BoardReport> {
  const lines = new Map((await query<Line>(LINES)).map((line) => [line.queue_id, line]))
  const report = { people: 0, differing: 0 }
  for (const desk of desks) {
    const board = (await ask(desk, 'GET', `/queues/${desk.queueId}/board/`)) as Board | undefined
    const { waiting, called } = lines.get(desk.queueId) ?? { waiting: [], called: [] }
    report.people += waiting.length + called.length
    const shown = board?.waiting.map(({ id }) => id) ?? []
    const isSame =
      board?.waiting_count === waiting.length &&
      // A board shows the first of a long line.
      String(shown) === String(waiting.slice(0, shown.length)) &&
      (shown.length > 0 || waiting.length === 0) &&
      String(board.called.map(({ id }) => id).sort((a, b) => a - b)) === String(called)
    if (!isSame) report.differing++
  }
  return report
}

const FIGURES = `
  select queue_id, sum(arrivals)::int as taken, sum(called)::int as called, sum(served)::int as completed, sum(abandoned)::int as left
  from queue_metrics where dimension = 'all' group by 1`

/** Queues whose figures of the day, added up by the program as every night, are not what was done there. */
export async function differingFigures(
  query: Direct['query'],
  desks: readonly Desk[],
  told: ReadonlyMap<number, Told>,
  ask: Asked,
): Promise<number> {
  const [period] = await query<{ from: string; to: string }>(
    `select to_char(now() - interval '1 day', 'YYYY-MM-DD') as "from", to_char(now() + interval '1 day', 'YYYY-MM-DD') as "to"`,
  )
  for (const desk of new Map(desks.map((desk) => [desk.tenantId, desk])).values())
    await ask(desk, 'POST', '/analytics/aggregate/', period)
  const figures = new Map((await query<Told & { queue_id: number }>(FIGURES)).map((row) => [row.queue_id, row]))
  return desks.filter(({ queueId }) => {
    const [ours, theirs] = [told.get(queueId), figures.get(queueId)]
    return !ours || (['taken', 'called', 'completed', 'left'] as const).some((what) => ours[what] !== theirs?.[what])
  }).length
}

/** Tickets that the log, folded, leaves in another state than the table has. */
export async function differingTickets(query: Direct['query']): Promise<number> {
  const [row] = await query<{ n: number }>(
    `select count(*)::int as n from tickets t left join (
       select distinct on (tenant_id, ticket_id) tenant_id, ticket_id, data ->> 'to' as status
       from events where ticket_id is not null and data ? 'to' order by tenant_id, ticket_id, "offset" desc) e
       on e.tenant_id = t.tenant_id and e.ticket_id = t.id
     where e.status is distinct from t.status`,
  )
  return row!.n
}
