import type { Database } from '../../kernel/db/types.ts'
import { eventsOf, monthOf, ticketsOf } from './content.ts'
import { fileOf, readLines } from './file.ts'

/** Rows of one statement. */
const BATCH = 1000
/** Then the nightly jobs take it away again. */
const KEPT_DAYS = 30

/**
 * Brings rows of a file back to where they were, for 30 days. May be called again: what is there stays as it is.
 * @returns rows of the file
 * @throws the one not-found error; Error when the file is not the one that was written
 */
export async function restoreArchive(db: Database, tenantId: number, name: string): Promise<number> {
  const file = await fileOf(db.reader(tenantId), name)
  await db.tenant(tenantId, (tx) =>
    tx.query(`update archive_files set kept_until = now() + interval '${KEPT_DAYS} days' where name = $1`, [name]),
  )
  const isLog = name.startsWith('events_')
  if (isLog) await reopen(db, tenantId, file)
  const content = isLog ? eventsOf('', '') : ticketsOf(...monthOf(name))
  let rows = 0
  let batch: string[] = []
  const flush = async () => {
    if (batch.length > 0) await db.tenant(tenantId, (tx) => content.restore(tx, batch), 'reports')
    rows += batch.length
    batch = []
  }
  for await (const line of readLines(tenantId, file)) {
    batch.push(line)
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return rows
}

/** Reads the file once before, so that a damaged one changes nothing, and makes parts for the times in it. */
async function reopen(db: Database, tenantId: number, file: { name: string; sha256: string }): Promise<void> {
  let [first, last]: [string?, string?] = []
  for await (const line of readLines(tenantId, file)) {
    const { at } = JSON.parse(line) as { at: string }
    if (first === undefined || at < first) first = at
    if (last === undefined || at > last) last = at
  }
  if (first !== undefined) await db.platform((tx) => tx.query('select app.reopen_events($1, $2)', [first, last]))
}
