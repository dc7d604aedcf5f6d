import type { Database } from '../../../kernel/db/types.ts'
import { translate } from '../../../kernel/i18n.ts'
import { countExported } from '../../../kernel/metrics.ts'
import type { Locale } from '../../../kernel/schema.ts'
import { encoder, type Format } from './formats/index.ts'
import { countRows, pagesOf, SOURCES, type Scope } from './sources.ts'

/** A stored piece: small enough to be held many times over, large enough for few statements. */
const PIECE_BYTES = 256 * 1024

interface Begun extends Scope {
  kind: keyof typeof SOURCES
  format: Format
  locale: Locale
  attempt: number
}
const BEGIN = `
  update exports set status = 'running', attempt = attempt + 1, rows_done = 0, rows_total = null, size_bytes = 0
  where id = $1 and status in ('queued', 'running') returning kind, format, "from", "to", site_id, queue_id, service_id, locale, attempt`
/** Only of whoever began last. */
const KEEP = `
  with own as (
    update exports set rows_done = $3, size_bytes = size_bytes + length($5::bytea) where id = $1 and attempt = $2 and status = 'running' returning id)
  insert into export_chunks (export_id, n, bytes) select id, $4, $5 from own returning n`
const END = `
  update exports set status = 'done', rows_done = $3, finished_at = now() where id = $1 and attempt = $2 and status = 'running'`

/**
 * Writes a file from its first row, whatever an attempt before has left. Memory does not grow with the rows: pages are read
 * from the replica, encoded, and stored in pieces.
 */
export async function writeExport(db: Database, tenantId: number, id: number): Promise<void> {
  const begun = await db.tenant(tenantId, async (tx) => {
    const row = await tx.maybe<Begun>(BEGIN, [id])
    if (row) await tx.query('delete from export_chunks where export_id = $1', [id])
    return row
  })
  // Deleted, or done by another.
  if (!begun) return
  const { kind, format, locale, attempt } = begun
  const source = SOURCES[kind]
  const reader = db.reader(tenantId, 'replica')
  const total = await countRows(reader, source, begun)
  await db.tenant(tenantId, (tx) => tx.query('update exports set rows_total = $2 where id = $1', [id, total]))
  const file = await encoder(format, source.columns, {
    title: translate(locale, `exports.${kind}`, {}),
    isRtl: locale === 'ar',
  })
  let held: Uint8Array[] = []
  let bytes = 0
  let n = 0
  let rows = 0
  /** False when somebody else writes it now, or nobody wants it any more. */
  const flush = async (): Promise<boolean> => {
    const piece = Buffer.concat(held)
    held = []
    bytes = 0
    const kept = await db.tenant(tenantId, (tx) => tx.query(KEEP, [id, attempt, rows, n, piece]))
    n++
    return kept.length > 0
  }
  const take = (pieces: readonly Uint8Array[]) => {
    for (const piece of pieces) {
      held.push(piece)
      bytes += piece.length
    }
  }
  for await (const page of pagesOf(reader, source, begun)) {
    take(file.rows(page))
    rows += page.length
    if (bytes >= PIECE_BYTES && !(await flush())) return
  }
  take(file.end())
  if (!(await flush())) return
  await db.tenant(tenantId, (tx) => tx.query(END, [id, attempt, rows]))
  countExported(format, rows)
}
