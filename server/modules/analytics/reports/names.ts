import type { Tx } from '../../../kernel/db/types.ts'
import type { By, Cell } from '../rollup/read.ts'

const TABLES: Partial<Record<By, string>> = {
  service: 'services',
  queue: 'queues',
  site: 'sites',
  agent: 'agents',
  counter: 'counters',
}

/** Names of what stands in groups, by id. */
export async function namesOf(tx: Tx, by: By, cells: readonly Cell[]): Promise<Map<string, string>> {
  const table = TABLES[by]
  if (!table) return new Map()
  const ids = [...new Set(cells.map(({ keys }) => Number(keys[by])))]
  const rows = await tx.query<{ id: number; name: string }>(`select id, name from ${table} where id = any($1)`, [ids])
  return new Map(rows.map(({ id, name }) => [String(id), name]))
}
