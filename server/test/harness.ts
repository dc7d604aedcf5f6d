import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { connectDirect, openDatabase, type Database, type DatabaseOptions, type Direct } from '../kernel/db/index.ts'
import { databaseUrl } from './template.ts'
import { whenOver } from './when-over.ts'

export interface TestDatabase {
  db: Database
  /** Superuser: sees all tenants. For fixtures and assertions. */
  owner: Direct['query']
  /** What `db` was opened with, for code that opens its own. */
  url: string
  directUrl: string
}

/** Nothing is refused because the machine has much else to do; what is to be told of that is tested with other bounds. */
export const PATIENT: Partial<DatabaseOptions> = {
  acquireTimeoutMs: 30_000,
  pools: { calls: { statementTimeoutMs: 30_000 }, requests: { statementTimeoutMs: 30_000 } },
}
/** Tenants of one database. */
const TENANTS = 10_000
/** Databases of this process, which knows organisations, devices and keys by the ids of their tenants. */
let databases = 0

/** A migrated database of the calling test file's own, dropped after its last test. */
export async function testDatabase(options: Partial<DatabaseOptions> = {}): Promise<TestDatabase> {
  const server = inject('testServer')
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = await connectDirect(databaseUrl(server.directUrl, 'postgres'))
  // Its files are copied as they are: writing each page to the log first takes twice the work.
  await admin.query(`create database ${name} template ${server.template} strategy file_copy`)
  const url = asWanted(databaseUrl(server.url, name))
  const directUrl = databaseUrl(server.directUrl, name)
  const direct = await connectDirect(directUrl)
  await direct.query(`alter table tenants alter column id restart with ${1 + TENANTS * databases++}`)
  const db = await openDatabase({ url, directUrl, ...PATIENT, ...options })
  whenOver(async () => {
    await db.close()
    await direct.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return { db, owner: direct.query, url, directUrl }
}

/** In a run that reads what is said (`npm run test:routing`), it is said as to an engine that spreads rows. */
function asWanted(text: string): string {
  const url = new URL(text)
  if (inject('statements') !== undefined) url.searchParams.set('distributed', 'true')
  return url.href
}
