import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { aTenant } from '../../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../../test/harness.ts'
import { databaseUrl } from '../../../test/template.ts'
import { loadConfig } from '../../../config.ts'
import { verifyBackup } from '../../../transports/cli/backup/verify.ts'
import { connectDirect, dump, hold, isHeld, load, release, type Direct } from '../index.ts'

const directory = mkdtempSync(join(tmpdir(), 'sq-backup-'))
const { directUrl: server } = inject('testServer')
let source: TestDatabase
let admin: Direct
let made = 0
const databases: string[] = []

beforeAll(async () => {
  source = await testDatabase()
  admin = await connectDirect(databaseUrl(server, 'postgres'))
  const { owner } = source
  for (const slug of ['one', 'two']) {
    const { tenant, sites, queues, services, agents } = await aTenant(owner, {
      slug,
      queues: 2,
      counters: 2,
      agents: 2,
    })
    await owner(
      `insert into customers (tenant_id, name, consents) select $1, e'Zoé\\t\\\\ "' || n || e'"\\nأحمد', '{"marketing": true}' from generate_series(1, 50) n`,
      [tenant.id],
    )
    // Keys between rows behind policies: they are checked anew when they come back.
    await owner(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, agent_id, entered_at, created_at)
       select $1, $2, $3, $4, '2026-01-05', $3, '2026-01-05', n, 'A' || n, 'kiosk', n, $5, now(), now() from generate_series(1, 20) n`,
      [tenant.id, sites[0]!.id, queues[0]!.id, services[0]!.id, agents[0]!.id],
    )
    await owner('update queues set number_last = 100 + id where tenant_id = $1 and id = $2', [tenant.id, queues[0]!.id])
  }
  await owner(`select graphile_worker.add_job('send_reminders', '{"tenant_id": 1}')`)
  await dump(source.directUrl, join(directory, 'whole'), '0.0.0-test')
})
afterAll(async () => {
  for (const name of databases) await admin.query(`drop database ${name} with (force)`)
  await admin.close()
  rmSync(directory, { recursive: true })
})

async function emptyDatabase(): Promise<string> {
  const name = `restored_${process.pid}_${++made}`
  await admin.query(`create database ${name}`)
  databases.push(name)
  return databaseUrl(server, name)
}
async function withDirect<T>(url: string, run: (direct: Direct) => Promise<T>): Promise<T> {
  const direct = await connectDirect(url)
  try {
    return await run(direct)
  } finally {
    await direct.close()
  }
}

/** Every row of every table of ours, order apart. */
async function contents({ query }: Pick<Direct, 'query'>): Promise<Record<string, unknown>> {
  const tables = await query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
     where c.relkind = 'r' and c.relnamespace::regnamespace::text in ('public', 'graphile_worker')
       and c.relname not in ('schema_migrations', 'migrations') order by 1`,
  )
  const found: Record<string, unknown> = {}
  for (const { name } of tables)
    found[name] = (
      await query(
        `select count(*)::int as count, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as rows from ${name} t`,
      )
    )[0]
  return found
}
const schemaOf = ({ query }: Pick<Direct, 'query'>) =>
  query(`
    select 'index' as kind, indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as made from pg_index
      where indrelid::regclass::text !~ '^(pg_|information_schema)' and indrelid::regclass::text !~ '^pg_toast'
    union all select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) || convalidated from pg_constraint
      where connamespace::regnamespace::text in ('public', 'graphile_worker')
    union all select 'wall', oid::regclass::text, relrowsecurity || ' ' || relforcerowsecurity from pg_class
      where relkind = 'r' and relnamespace::regnamespace::text in ('public', 'graphile_worker')
    union all select 'trigger', tgrelid::regclass || '.' || tgname, tgenabled::text from pg_trigger where not tgisinternal
    order by 1, 2`)

test('a restored copy has every row, index, key and wall of the original, and goes on counting where it stopped', async () => {
  const url = await emptyDatabase()
  const { manifest, rows, migrated } = await load(url, join(directory, 'whole'))
  expect(migrated).toEqual([])
  expect(rows).toBe(manifest.tables.reduce((sum, table) => sum + table.rows, 0))
  await withDirect(url, async (copy) => {
    expect(await contents(copy)).toEqual(await contents({ query: source.owner }))
    expect(await schemaOf(copy)).toEqual(await schemaOf({ query: source.owner }))
    const next = `select nextval(pg_get_serial_sequence('customers', 'id')) as id`
    expect(await copy.query(next)).toEqual(await source.owner(next))
  })
})

test('a backup is verified on a scratch server of somebody else’s, and nothing of it stays there', async () => {
  const config = loadConfig({ SECRET_KEY: randomBytes(48).toString('base64url'), DATA_DIR: directory }, tmpdir())
  const scratch = databaseUrl(server, 'postgres')
  const verdict = await verifyBackup(join(directory, 'whole'), config, scratch)
  expect(verdict).toMatchObject({ differing: [], brokenLogs: [], failures: [] })
  expect(verdict.rows).toBeGreaterThan(100)
  expect(await admin.query(`select from pg_database where datname like 'smartqueue_verify_%'`)).toEqual([])
})

test('a login that row-level security binds is refused; control: as pg_dump with its option it would leave rows out without a word', async () => {
  const { owner, directUrl } = source
  await owner('create role bound_reader login in role sq_app')
  try {
    const url = new URL(directUrl)
    url.username = 'bound_reader'
    const target = join(directory, 'partial')
    await expect(dump(url.href, target, 'test')).rejects.toThrow(/rows missing|permission/)
    expect(readdirSync(directory)).not.toContain('partial')
    const seen = await withDirect(url.href, async ({ query }) => {
      await query('set role sq_app')
      await query(`select set_config('app.current_tenant_id', (select min(id)::text from tenants), false)`)
      return query<{ count: number }>('select count(*) as count from customers')
    })
    expect(seen[0]!.count).toBe(50)
    expect((await owner<{ count: number }>('select count(*) as count from customers'))[0]!.count).toBe(100)
  } finally {
    await owner('drop role bound_reader')
  }
})

test('a login of sq_backup that may read past the policies takes the whole backup', async () => {
  const { owner, directUrl } = source
  await owner('create role backup_login login bypassrls in role sq_backup')
  try {
    const url = new URL(directUrl)
    url.username = 'backup_login'
    const { tables } = await dump(url.href, join(directory, 'by-login'), 'test')
    expect(tables.find(({ name }) => name === 'customers')!.rows).toBe(100)
    expect(tables.find(({ name }) => name === '_private_jobs')!.rows).toBe(1)
  } finally {
    await owner('drop role backup_login')
  }
})

test('a damaged, a cut and a strange backup restore nothing, and nothing is written over', async () => {
  const url = await emptyDatabase()
  const whole = join(directory, 'whole')
  const file = readdirSync(whole).find((name) => name.includes('customers'))!
  const good = readFileSync(join(whole, file))
  const bad = Buffer.from(good)
  bad[bad.length >> 1]! ^= 1
  writeFileSync(join(whole, file), bad)
  await expect(load(url, whole)).rejects.toThrow(/damaged/)
  writeFileSync(join(whole, file), good)
  await expect(load(url, directory)).rejects.toThrow(/no backup/)
  await expect(load(source.directUrl, whole)).rejects.toThrow(/not empty/)
})

test('a restored copy is held until it is released, and again after the next restore', async () => {
  const url = await emptyDatabase()
  await load(url, join(directory, 'whole'))
  const epochs = async ({ query }: Direct) => query('select tenant_id, site_id, epoch from streams order by 1, 2')
  const before = await withDirect(url, async (direct) => {
    expect(await isHeld(direct.query)).toBe(false)
    await hold(direct.query)
    return epochs(direct)
  })
  const after = await withDirect(url, async (direct) => {
    expect(await isHeld(direct.query)).toBe(true)
    expect(await release(direct.query)).toBe(true)
    return epochs(direct)
  })
  expect(after).toHaveLength(before.length)
  expect(new Set(after.map(({ epoch }) => epoch)).intersection(new Set(before.map(({ epoch }) => epoch))).size).toBe(0)
  await withDirect(url, async ({ query }) => {
    expect(await isHeld(query)).toBe(false)
    await hold(query)
  })
  await withDirect(url, async ({ query }) => expect(await isHeld(query)).toBe(true))
})
