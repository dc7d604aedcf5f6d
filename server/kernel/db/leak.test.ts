import { spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase } from '../../test/harness.ts'
import { openDatabase, type Database } from './index.ts'

const { owner, url } = await testDatabase()
const tenants = (
  await owner<{ id: number }>(
    `insert into tenants (slug, name) select 't' || i, 'T' from generate_series(1, 10) i returning id`,
  )
).map(({ id }) => id)
await owner(`insert into sites (tenant_id, name, slug, timezone) select id, 'S', 's', 'UTC' from tenants`)

const SITES = 'select tenant_id from sites'
type Site = { tenant_id: number }

/** One read of `tenant`'s sites; how many wrong or missing rows it brought. */
type Read = (tenant: number) => Promise<number>
const judge = (tenant: number, rows: readonly Site[]) =>
  rows.length === 1 && Number(rows[0]!.tenant_id) === tenant ? 0 : 1

/** Runs `total` reads of random tenants, `width` at a time, and adds up what was wrong. */
async function wrongReads(total: number, width: number, read: Read): Promise<number> {
  let [started, wrong] = [0, 0]
  const worker = async () => {
    while (started++ < total) {
      // In two steps: a sum read before the wait would forget what the other workers add meanwhile.
      const found = await read(tenants[Math.floor(Math.random() * tenants.length)]!)
      wrong += found
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return wrong
}

/** What a day brings: single reads, transactions, and transactions that fail in every way before others reuse the session. */
function everyday(db: Database): Read {
  const boom = new Error('boom')
  const quiet = (error: unknown) => {
    if (error !== boom && !(error instanceof pg.DatabaseError) && !(error instanceof Error && 'code' in error))
      throw error
    return 0
  }
  const ways: Read[] = [
    async (tenant) => judge(tenant, await db.reader(tenant).query<Site>(SITES)),
    async (tenant) => judge(tenant, await db.tenant(tenant, (tx) => tx.query<Site>(SITES))),
    async (tenant) => {
      const [first, second] = await db.tenant(tenant, (tx) =>
        tx.finish([
          { text: SITES, values: [] },
          { text: SITES, values: [] },
        ]),
      )
      return judge(tenant, first as unknown as Site[]) + judge(tenant, second as unknown as Site[])
    },
    async () => (await db.platform((tx) => tx.query(SITES))).length,
    (tenant) => db.tenant(tenant, () => Promise.reject(boom)).catch(quiet),
    (tenant) => db.tenant(tenant, (tx) => tx.query('select 1 / 0').then(() => 1)).catch(quiet),
    (tenant) => db.tenant(tenant, async (tx) => void tx.query('select nonsense')).then(() => 1, quiet),
    (tenant) =>
      db
        .reader(tenant)
        .query('select 1 / 0')
        .then(() => 1, quiet),
    (tenant) => db.tenant(tenant, (tx) => tx.query('select pg_sleep(1)').then(() => 1)).catch(quiet),
  ]
  // The slow way costs its timeout, so it is taken rarely.
  return (tenant) => ways[Math.floor(Math.random() * (Math.random() < 0.02 ? ways.length : ways.length - 1))]!(tenant)
}

const few = { requests: { transactions: 2, reads: 1, statementTimeoutMs: 100 } }

test('sessions that tenants share keep nothing of the one before', async () => {
  const db = await openDatabase({ url, pools: few, acquireTimeoutMs: 20_000 })
  expect(await wrongReads(4_000, 16, everyday(db))).toBe(0)
  await db.close()
})

test('control: a setting of the session leaks to the next tenant', async () => {
  const client = new pg.Client({ connectionString: url, pipeline: true })
  await client.connect()
  const naive: Read = async (tenant) => {
    await client.query('set role sq_app')
    await client.query(`set app.current_tenant_id = '${tenant}'`)
    return judge(tenant, (await client.query<Site>(SITES)).rows)
  }
  const wrong = await wrongReads(500, 4, naive)
  await client.end()
  expect(wrong).toBeGreaterThan(0)
})

const pgbouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find(existsSync)
const backend = new URL(url).searchParams.get('host')
const skipped = pgbouncer ? '' : ' (SKIPPED: apt-get install pgbouncer)'

describe.skipIf(!pgbouncer || !backend)(`behind PgBouncer, transactions over two sessions${skipped}`, () => {
  let directory: string
  let bouncer: ChildProcess
  let pooled: URL

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sq-pgbouncer-'))
    writeFileSync(join(directory, 'users.txt'), `"${new URL(url).username}" ""\n`)
    writeFileSync(
      join(directory, 'pgbouncer.ini'),
      `[databases]
* = host=${backend} port=5432
[pgbouncer]
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
auth_type = trust
auth_file = ${directory}/users.txt
listen_addr =
unix_socket_dir = ${directory}
listen_port = 6432
`,
    )
    // Like PostgreSQL it refuses root; the user that runs the server may enter its socket directory.
    const account = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    if (account.uid) chownSync(directory, account.uid, account.gid)
    bouncer = spawn(pgbouncer!, [join(directory, 'pgbouncer.ini')], { ...account, stdio: 'ignore' })
    pooled = new URL(url)
    pooled.port = '6432'
    pooled.searchParams.set('host', directory)
    for (let i = 0; i < 100 && !existsSync(join(directory, '.s.PGSQL.6432')); i++) await delay(50)
  })
  afterAll(() => {
    bouncer.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  })

  test('no read is of the wrong tenant', async () => {
    const unprepared = new URL(pooled)
    unprepared.searchParams.set('prepare', 'false')
    const db = await openDatabase({ url: unprepared.href, directUrl: url, pools: few, acquireTimeoutMs: 20_000 })
    expect(await wrongReads(6_000, 16, everyday(db))).toBe(0)
    await db.close()
  })

  test('control: SET on the connection reads other tenants', async () => {
    const clients = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = new pg.Client({ connectionString: pooled.href })
        await client.connect()
        return client
      }),
    )
    const free = [...clients]
    const naive: Read = async (tenant) => {
      const client = free.pop()!
      await client.query('set role sq_app')
      await client.query(`set app.current_tenant_id = '${tenant}'`)
      // On a session that has neither the role nor the tenant nothing can be read, which is no leak.
      const seen = await client.query<Site>(SITES).catch(() => ({ rows: [] }))
      free.push(client)
      return seen.rows.length === 0 ? 0 : judge(tenant, seen.rows)
    }
    const wrong = await wrongReads(1_000, 4, naive)
    await Promise.all(clients.map((client) => client.end()))
    expect(wrong).toBeGreaterThan(0)
  })
})
