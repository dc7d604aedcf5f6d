import { mkdtempSync, readdirSync, rmSync, statSync, chmodSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  baseBackup,
  connectDirect,
  isHeld,
  receiveLog,
  recover,
  startEmbedded,
  type Direct,
  type Embedded,
} from '../index.ts'
import { prepareHome } from '../embedded/account.ts'

const directory = mkdtempSync(join(tmpdir(), 'sq-physical-'))
chmodSync(directory, 0o755)
let server: Embedded
let owner: Direct
const ending = new AbortController()
let receiving: Promise<void>

beforeAll(async () => {
  server = await startEmbedded({ directory: join(directory, 'original') })
  owner = await connectDirect(server.directUrl)
  await owner.query('create table notes (id integer primary key, text text, at timestamptz default clock_timestamp())')
  receiving = receiveLog(server.directUrl, { directory: join(directory, 'log'), signal: ending.signal })
})
afterAll(async () => {
  ending.abort()
  await receiving
  await owner.close()
  await server.close()
  rmSync(directory, { recursive: true })
})

/** When it was committed at the latest. */
async function note(id: number): Promise<string> {
  await owner.query(`insert into notes (id, text) values ($1, repeat('note ', 100))`, [id])
  const [clock] = await owner.query<{ at: string }>('select clock_timestamp() as at')
  return clock!.at
}

/** The log is here up to where the server is now. */
async function received(): Promise<void> {
  const [end] = await owner.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')
  for (;;) {
    const [row] = await owner.query<{ done: boolean }>(
      `select coalesce(bool_or(restart_lsn >= $1::pg_lsn), false) as done from pg_replication_slots where slot_name = 'smartqueue_wal'`,
      [end!.lsn],
    )
    if (row!.done) return
    await delay(50)
  }
}

async function restored(
  name: string,
  options: { log?: string; until?: string },
): Promise<{ ids: number[]; held: boolean }> {
  const home = prepareHome(join(directory, name))
  await recover({ base: join(directory, 'base'), dataDirectory: join(home.path, 'data'), ...options })
  const copy = await startEmbedded({ directory: home.path, durable: false })
  const direct = await connectDirect(copy.directUrl)
  try {
    // It answers reads before it has come to its end.
    while ((await direct.query<{ busy: boolean }>('select pg_is_in_recovery() as busy'))[0]!.busy) await delay(50)
    const rows = await direct.query<{ id: number }>('select id from notes order by id')
    await direct.query('create table written_by_the_copy (id integer)')
    return { ids: rows.map(({ id }) => id), held: await isHeld(direct.query) }
  } finally {
    await direct.close()
    await copy.close()
  }
}

test('a base backup and the log lead to any moment after it, and to the last commit received', async () => {
  await note(1)
  await baseBackup(server.directUrl, join(directory, 'base'), 'test')
  const log = join(directory, 'log')
  const second = await note(2)
  await delay(20)
  await note(3)
  // Across the end of a segment, whose file is then whole.
  await owner.query('select pg_switch_wal()')
  await note(4)
  await received()
  expect(readdirSync(log).filter((file) => /^[0-9A-F]{24}$/.test(file)).length).toBeGreaterThan(0)
  expect(await restored('base-alone', {})).toEqual({ ids: [1], held: true })
  expect(await restored('to-the-end', { log })).toEqual({ ids: [1, 2, 3, 4], held: true })
  expect(await restored('to-a-moment', { log, until: second })).toEqual({ ids: [1, 2], held: true })
})

test('a damaged archive and a directory that is there are refused', async () => {
  const base = join(directory, 'base')
  const home = prepareHome(join(directory, 'damaged'))
  await expect(recover({ base, dataDirectory: home.path })).rejects.toThrow(/exist/)
  const manifest = join(base, 'backup_manifest')
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(manifest, text.replace(/"Checksum": "[0-9a-f]{4}/, '"Checksum": "0000'))
  await expect(recover({ base, dataDirectory: join(home.path, 'data') })).rejects.toThrow(/damaged/)
  writeFileSync(manifest, text)
  expect(statSync(join(base, 'base.tar.zst')).mode & 0o77).toBe(0)
})
