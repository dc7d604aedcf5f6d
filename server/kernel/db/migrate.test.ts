import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { describeSchema } from '../../../scripts/dump-schema.ts'
import { databaseUrl } from '../../test/template.ts'
import { connectDirect, migrate, type Direct } from './index.ts'
import { MIGRATIONS } from './migrate.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sq-migrations-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const write = (name: string, sql: string) => writeFileSync(join(directory, name), sql)
const run = (url: string) => migrate(url, pathToFileURL(`${directory}/`))

/** A database without a single table, and a superuser's connection to it. */
async function emptyDatabase(): Promise<Direct & { url: string }> {
  const { directUrl } = inject('testServer')
  const name = `empty_${crypto.randomUUID().replaceAll('-', '')}`
  const admin = await connectDirect(databaseUrl(directUrl, 'postgres'))
  await admin.query(`create database ${name} template template0`)
  const url = databaseUrl(directUrl, name)
  const direct = await connectDirect(url)
  onTestFinished(async () => {
    await direct.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return { ...direct, url }
}

test('files are applied once, in order, owned by sq_owner', async () => {
  const { url, query } = await emptyDatabase()
  write('000001_one.sql', '-- expand\ncreate table one (a int);\ncreate table too (a int);')
  write('000002_two.sql', '-- contract\nalter table one add column b int;')
  expect(await run(url)).toEqual(['one', 'two'])
  expect(await run(url)).toEqual([])
  write('000003_three.sql', '-- expand\ninsert into one values (1, 2);')
  expect(await run(url)).toEqual(['three'])
  expect(await query('select * from one')).toEqual([{ a: 1, b: 2 }])
  expect(await query(`select distinct tableowner from pg_tables where schemaname = 'public'`)).toEqual([
    { tableowner: 'sq_owner' },
  ])
})

test('a file that fails leaves nothing behind and says which it was', async () => {
  const { url, query } = await emptyDatabase()
  write('000001_good.sql', '-- expand\ncreate table good (a int);')
  write('000002_bad.sql', '-- expand\ncreate table half (a int);\nselect nonsense;')
  await expect(run(url)).rejects.toThrow(/migration 2 \(bad\) failed: .*"nonsense" does not exist/)
  expect(await query(`select to_regclass('half') as half, to_regclass('good') as good`)).toEqual([
    { half: null, good: 'good' },
  ])
  write('000002_bad.sql', '-- expand\ncreate table half (a int);')
  expect(await run(url)).toEqual(['bad'])
})

test.each([
  [
    'an applied file that changed',
    { '000001_a.sql': '-- expand\nselect 2;' },
    'migration 1 (a) was changed after it was applied',
  ],
  ['a number below an applied one', { '000001_z.sql': '-- expand\n' }, 'two migrations have the number 1'],
  ['a file between applied ones', { '000002_b.sql': '-- expand\n' }, 'migration 2 (b) comes before 3'],
  ['no kind', { '000004_b.sql': 'select 1;' }, '000004_b.sql: the first line must be one of'],
  ['a wrong name', { '4-b.sql': '-- expand\n' }, '4-b.sql: a migration is called NNNNNN_name.sql'],
])('%s is refused', async (_, files, message) => {
  const { url } = await emptyDatabase()
  write('000001_a.sql', '-- expand\nselect 1;')
  write('000003_c.sql', '-- expand\nselect 1;')
  await run(url)
  for (const [name, sql] of Object.entries(files)) write(name, sql)
  await expect(run(url)).rejects.toThrow(message)
})

test('an older program runs on a database that was expanded, not on one that broke with it', async () => {
  const { url } = await emptyDatabase()
  write('000001_a.sql', '-- expand\nselect 1;')
  write('000002_b.sql', '-- expand\nselect 1;')
  await run(url)
  rmSync(join(directory, '000002_b.sql'))
  expect(await run(url)).toEqual([])
  write('000002_b.sql', '-- expand\nselect 1;')
  write('000003_c.sql', '-- breaking\nselect 1;')
  await run(url)
  rmSync(join(directory, '000003_c.sql'))
  await expect(run(url)).rejects.toThrow('newer than this program')
})

test('five starters at once apply each file once', async () => {
  const { url, query } = await emptyDatabase()
  write('000001_a.sql', '-- expand\ncreate table runs (n int); select pg_sleep(0.1);')
  write('000002_b.sql', '-- expand\ninsert into runs values (2);')
  const applied = await Promise.all(Array.from({ length: 5 }, () => run(url)))
  expect(applied.flat().toSorted()).toEqual(['a', 'b'])
  expect(await query('select count(*) as n from runs')).toEqual([{ n: 1 }])
})

test('a migration that waits for a lock lets others pass and tries again', async () => {
  const { url, query } = await emptyDatabase()
  write('000001_a.sql', '-- expand\ncreate table busy (a int);')
  await run(url)
  write('000002_b.sql', '-- expand\nalter table busy add column b int;')
  await query('begin')
  await query('lock table busy in access share mode')
  const migrating = run(url)
  const other = await connectDirect(url)
  const waiting = `select count(*) as n from pg_stat_activity where application_name = 'smartqueue migrate'
    and datname = current_database() and wait_event_type = 'Lock'`
  const until = async (n: number) => {
    while ((await other.query<{ n: number }>(waiting))[0]!.n !== n) await new Promise((next) => setTimeout(next, 20))
  }
  // It queued for the table, and gave its place up.
  await until(1)
  await until(0)
  await query('commit')
  expect(await migrating).toEqual(['b'])
  await other.close()
})

test('our migrations: applied one start at a time they make the schema that a fresh start makes', async () => {
  const [fresh, upgraded] = [await emptyDatabase(), await emptyDatabase()]
  await migrate(fresh.url)
  for (const name of readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()) {
    write(name, readFileSync(new URL(name, MIGRATIONS), 'utf8'))
    await run(upgraded.url)
  }
  expect(await describeSchema(upgraded)).toBe(await describeSchema(fresh))
})
