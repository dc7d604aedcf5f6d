import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { migrate, openDatabase, startEmbedded } from '../index.ts'

const isRoot = process.getuid?.() === 0
const NOBODY = { uid: 65534, gid: 65534 }

let cluster: string
let directory: string
const children = new Set<ChildProcess>()

// Making a cluster takes longer than most tests do: they begin with a copy of one that was stopped.
beforeAll(async () => {
  cluster = mkdtempSync(join(tmpdir(), 'sq-embedded-'))
  const server = await startEmbedded({ directory: cluster, durable: false })
  await migrate(server.directUrl)
  await server.close()
})
afterAll(() => rmSync(cluster, { recursive: true }))
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sq-embedded-'))
})
const copyCluster = () => spawnSync('cp', ['-a', `${cluster}/.`, directory])
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await stopped()
  rmSync(directory, { recursive: true, force: true })
})

/** A process of its own that starts the server, migrates, and stays until it is killed or its input ends. */
async function aProcess(options: { uid?: number; gid?: number } = {}): Promise<ChildProcess & { lines: string[] }> {
  const program = `
    import { migrate, openDatabase, startEmbedded } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
    const server = await startEmbedded({ directory: ${JSON.stringify(directory)}, durable: false })
    await migrate(server.directUrl)
    const db = await openDatabase(server)
    await db.platform((tx) => tx.query("insert into tenants (slug, name) values ('p' || $1, 'P')", [process.pid]))
    console.log('ready')
    process.stdin.resume().on('end', async () => { await db.close(); await server.close(); process.exit() })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    ...options,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.add(child)
  const lines: string[] = []
  child.stdout!.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  while (lines.length === 0) {
    const code = await Promise.race([exit, delay(20, 'running')])
    if (code !== 'running') throw new Error(`the process ended with ${code}`)
  }
  return Object.assign(child, { lines })
}

function postmaster(): number | undefined {
  const file = join(directory, 'data/postmaster.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined
}
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
/** Resolves once no server runs on the directory; rejects after ten seconds. */
async function stopped(pid = postmaster()): Promise<void> {
  for (let waited = 0; pid !== undefined && exists(pid); waited += 20) {
    if (waited > 10_000) throw new Error(`PostgreSQL ${pid} is still there`)
    await delay(20)
  }
}
async function slugs(): Promise<string[]> {
  const server = await startEmbedded({ directory, durable: false })
  const db = await openDatabase(server)
  const rows = await db.platform((tx) => tx.query<{ slug: string }>('select slug from tenants order by id'))
  await db.close()
  await server.close()
  return rows.map(({ slug }) => slug)
}

test('the server outlives neither a clean end nor kill -9 of its only process, and keeps the data', async () => {
  copyCluster()
  const killed = await aProcess()
  killed.kill('SIGKILL')
  await stopped()
  const ended = await aProcess()
  ended.stdin!.end()
  await once(ended, 'exit')
  expect(existsSync(join(directory, 'data/postmaster.pid'))).toBe(false)
  expect(await slugs()).toEqual([`p${killed.pid}`, `p${ended.pid}`])
})

test('processes on one directory share the server; it stops with the last of them', async () => {
  copyCluster()
  const first = await aProcess()
  const second = await aProcess()
  const pid = postmaster()!
  first.kill('SIGKILL')
  await once(first, 'exit')
  const third = await aProcess()
  second.stdin!.end()
  await once(second, 'exit')
  await delay(300)
  expect(postmaster()).toBe(pid)
  expect(exists(pid)).toBe(true)
  third.kill('SIGKILL')
  await stopped(pid)
})

test('five first starts at once make one cluster and apply each migration once', async () => {
  const processes = await Promise.all(Array.from({ length: 5 }, () => aProcess()))
  expect(await slugs()).toEqual(expect.arrayContaining(processes.map(({ pid }) => `p${pid}`)))
  for (const child of processes) child.kill('SIGKILL')
  await stopped()
})

test('a server that is killed is started again under an open database', async () => {
  copyCluster()
  const server = await startEmbedded({ directory, durable: false })
  const db = await openDatabase({ ...server, acquireTimeoutMs: 10_000 })
  const one = () => db.reader(1).one<{ n: number }>('select 1 as n')
  await one()
  const pid = postmaster()!
  process.kill(pid, 'SIGKILL')
  while (postmaster() === pid) expect(await one()).toEqual({ n: 1 })
  expect(await one()).toEqual({ n: 1 })
  await db.close()
  await server.close()
  await stopped()
})

test('a lock file left from before a reboot, naming some other process, does not keep the server down', async () => {
  copyCluster()
  for (const lock of ['data/postmaster.pid', '.s.PGSQL.5432.lock']) {
    writeFileSync(
      join(directory, lock),
      `${process.pid}\n${directory}/data\n1\n5432\n${directory}\n\n  1  1\nready   \n`,
    )
    // PostgreSQL takes the lock of another user's process for stale; here that process could be its own user's.
    if (isRoot) chownSync(join(directory, lock), NOBODY.uid, NOBODY.gid)
  }
  const server = await startEmbedded({ directory, durable: false })
  expect(postmaster()).not.toBe(process.pid)
  await server.close()
})

test('a path too long for a socket address still works', async () => {
  chmodSync(directory, 0o755)
  const long = join(directory, 'a'.repeat(60), 'b'.repeat(60))
  const server = await startEmbedded({ directory: long, durable: false })
  const socket = new URL(server.url).searchParams.get('host')!
  await server.close()
  expect(realpathSync(long)).toBe(long)
  expect(socket).toMatch(new RegExp(`^${tmpdir()}/smartqueue-`))
  rmSync(socket, { recursive: true })
})

test.skipIf(!isRoot)('a user without privileges can run it, and root then runs it as that user', async () => {
  copyCluster()
  chownSync(directory, NOBODY.uid, NOBODY.gid)
  const child = await aProcess(NOBODY)
  child.kill('SIGKILL')
  await stopped()
  expect(await slugs()).toEqual([`p${child.pid}`])
})

test.skipIf(!isRoot)('under a directory that only root may enter, the cluster is kept elsewhere', async () => {
  chmodSync(directory, 0o700)
  const inside = join(directory, 'pg')
  const server = await startEmbedded({ directory: inside, durable: false })
  const kept = realpathSync(inside)
  await server.close()
  rmSync(kept, { recursive: true })
  expect(kept).toMatch(/^\/var\/lib\/smartqueue\//)
})
