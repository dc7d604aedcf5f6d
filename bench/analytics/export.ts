import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../server/kernel/db/index.ts'
import type { Direct } from '../../server/kernel/db/direct.ts'
import { writeExport } from '../../server/modules/analytics/exports/write.ts'
import type { Year } from './year.ts'

const SAMPLE_MS = 200
const POINTS = 10
const MEBIBYTE = 2 ** 20

interface Sample {
  rows: number
  rss: number
  heap: number
}

/** Memory of this process while a file of all tickets is written, by how many rows are in it; the database is another process. */
export async function measureExports(db: Database, direct: Direct, { tenant, from, to }: Year): Promise<string> {
  const lines: string[] = []
  for (const format of ['csv', 'xlsx', 'parquet']) {
    const [{ id } = { id: 0 }] = await direct.query<{ id: number }>(
      `insert into exports (tenant_id, kind, format, "from", "to", locale, requested_by) values ($1, 'tickets', $2, $3, $4, 'fr', 'bench') returning id`,
      [tenant.id, format, from, to],
    )
    const samples: Sample[] = []
    const started = performance.now()
    let isOver = false
    const writing = writeExport(db, tenant.id, id).finally(() => (isOver = true))
    while (!isOver) {
      const { rss, heapUsed } = process.memoryUsage()
      const [row] = await direct.query<{ rows: number }>('select rows_done as rows from exports where id = $1', [id])
      samples.push({ rows: row!.rows, rss: rss / MEBIBYTE, heap: heapUsed / MEBIBYTE })
      await sleep(SAMPLE_MS)
    }
    await writing
    const seconds = (performance.now() - started) / 1000
    const [done] = await direct.query<{ rows: number; megabytes: number }>(
      'select rows_done as rows, (size_bytes / 1e6)::float8 as megabytes from exports where id = $1',
      [id],
    )
    const { rows, megabytes } = done!
    lines.push(
      `${format}: ${rows} rows, ${megabytes.toFixed(1)} MB in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows a second`,
    )
    for (let point = 0; point < POINTS; point++) {
      const own = samples.filter((sample) => Math.min(POINTS - 1, Math.floor((sample.rows / rows) * POINTS)) === point)
      if (own.length === 0) continue
      const most = (name: 'rss' | 'heap') => Math.max(...own.map((sample) => sample[name])).toFixed(0)
      lines.push(
        `  up to ${String(Math.round((rows * (point + 1)) / POINTS)).padStart(8)} rows: ${most('rss').padStart(5)} MiB resident, ${most('heap').padStart(4)} MiB heap, at most`,
      )
    }
    await direct.query('delete from exports where id = $1', [id])
  }
  return lines.join('\n')
}
