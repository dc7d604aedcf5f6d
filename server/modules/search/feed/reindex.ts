import type { Database } from '../../../kernel/db/types.ts'
import { readDocuments } from '../document.ts'
import type { SearchServer } from '../providers/opensearch.ts'
import { KINDS, type Kind } from '../schema.ts'

const BATCH = 1000
const PAGE: Record<Kind, string> = {
  ticket: `select id from tickets where id > $1 order by id limit ${BATCH}`,
  customer: `select id from customers where id > $1 order by id limit ${BATCH}`,
  appointment: `select id from appointments where id > $1 order by id limit ${BATCH}`,
}

export interface Progress {
  kind: Kind
  /** Of how many as the database estimates none: rows told of so far. */
  done: number
}

/**
 * Tells the server of all of one organisation, and removes what is no longer there. What changes meanwhile is told of by the
 * feed; the newer of two always stays. Nothing is missing from what is found while it runs.
 * @returns how many documents there are, and how many were removed
 */
export async function reindexTenant(
  db: Database,
  server: SearchServer,
  tenantId: number,
  tell: (progress: Progress) => void = () => {},
): Promise<{ documents: number; removed: number }> {
  await server.prepare()
  const { began } = await db
    .reader(tenantId, 'reports')
    .one<{ began: number }>('select (extract(epoch from statement_timestamp()) * 1000000)::bigint as began')
  let documents = 0
  for (const kind of KINDS) {
    let done = 0
    for (let after = 0; ;) {
      const reader = db.reader(tenantId, 'reports')
      const ids = (await reader.query<{ id: number }>(PAGE[kind], [after])).map(({ id }) => id)
      if (ids.length === 0) break
      const told = await readDocuments(reader, tenantId, kind, ids)
      await server.write(tenantId, kind, told.version ?? began, told)
      done += ids.length
      after = ids.at(-1)!
      tell({ kind, done })
      if (ids.length < BATCH) break
    }
    documents += done
  }
  const removed = await server.removeOlder(tenantId, began)
  return { documents, removed }
}
