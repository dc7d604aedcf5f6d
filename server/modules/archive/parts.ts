import { databaseError, type Database } from '../../kernel/db/index.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { eventsOf } from './content.ts'
import { writeArchive } from './file.ts'
import { historyDays } from './settings.ts'

/** Half years that are there before their time: for as long nobody may run a worker. */
const AHEAD = 1
/** A part goes under a lock that lets nobody pass; the database waits half a second for it, lets the others pass, and is asked again. */
const TRIES = 20
const LOCK_NOT_AVAILABLE = '55P03'

interface Part {
  name: string
  begins_at: string
  ends_at: string
}
const OLD = `
  select name, begins_at::text, ends_at::text from app.events_parts()
  where ends_at < now() - make_interval(days => $1) and ends_at < now() - interval '100 days'`
const IS_LOOKED_AT = `select from archive_files where kept_until > now() limit 1`

/**
 * Takes parts that ended more than `days` ago out of the log, each when the rows of every organisation are in a file. None goes while
 * an organisation looks at what it brought back.
 * @returns their names
 */
export async function dropOldParts(db: Database, days: number): Promise<string[]> {
  const parts = await db.platform((tx) => tx.query<Part>(OLD, [days]))
  // Also of organisations that are suspended.
  const tenants = await db.platform((tx) => tx.query<{ id: number }>('select id from tenants order by id'))
  for (const { id } of tenants) if (parts.length > 0 && (await db.reader(id).maybe(IS_LOOKED_AT))) return []
  for (const { name, begins_at, ends_at } of parts) {
    for (const { id } of tenants) await writeArchive(db, id, name, eventsOf(begins_at, ends_at))
    await patiently(() => db.platform((tx) => tx.query('select app.drop_events_part($1)', [name])))
  }
  return parts.map(({ name }) => name)
}

async function patiently(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await attempt()
      return
    } catch (error) {
      if (tries === TRIES || databaseError(error)?.code !== LOCK_NOT_AVAILABLE) throw error
    }
  }
}

export const makeParts: Job = {
  name: 'archive.make_parts',
  schedule: '11 * * * *',
  async run({ runtime: { db } }) {
    await patiently(() => db.platform((tx) => tx.query('select app.make_events_parts($1)', [AHEAD])))
  },
}

export const dropParts: Job = {
  name: 'archive.drop_parts',
  schedule: '41 2 * * *',
  async run({ runtime: { db } }) {
    if (historyDays() > 0) await dropOldParts(db, historyDays())
  },
}
