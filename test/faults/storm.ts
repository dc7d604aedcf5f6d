import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import type { Direct } from '../../server/kernel/db/index.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from './api.ts'
import type { ServerProcess } from './processes.ts'

export interface StormOptions {
  owner: Direct['query']
  fixture: TenantFixture
  server: ServerProcess
  sockets: number
  signal: AbortSignal
  progress(line: string): void
}
export interface StormReport {
  seconds: number
  back: number
  /** Frames that came back in another order than `after` says, or not at all. */
  holes: number
  /** By the database's own count, without those for the requests meanwhile, at what a request takes in quieter times. */
  statementsEach: number
  apiBeforeP99Ms: number
  apiP99Ms: number
  apiRequests: number
  apiFailed: number
  /** Of the server, in MiB. */
  residentBefore: number
  residentPeak: number
}

/** All sockets are cut at once and come back at once, each with its position, while somebody goes on working. */
export async function reconnectStorm(options: StormOptions): Promise<StormReport> {
  const { owner, fixture, server, sockets: count, signal, progress } = options
  const queue = fixture.queues[0]!.id
  const token = tokenOf(fixture.admin)
  const api = new Api(server.port, fixture.tenant.slug)
  const path = `ws://127.0.0.1:${server.port}/ws/tenants/${fixture.tenant.slug}/queues/${queue}/`
  let holes = 0
  let position: { epoch: string; offset: number } | undefined
  const open = (from?: typeof position) =>
    new Promise<WebSocket>((resolve, reject) => {
      const query = from ? `?epoch=${from.epoch}&since=${from.offset}` : ''
      const socket = new WebSocket(path + query, ['smartqueue.v1', `bearer.${token}`], { perMessageDeflate: false })
      let last = from?.offset
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data)) as { epoch?: string; offset: number; after?: number; type: string }
        if (frame.type === 'snapshot') position ??= { epoch: frame.epoch!, offset: frame.offset }
        if (from && frame.after !== last) holes++
        last = frame.offset
        resolve(socket)
      })
      socket.once('error', reject)
    })
  const ticket = () => api.post('/tickets/', token, { queue_id: queue, channel: 'kiosk' })
  const clients: WebSocket[] = []
  while (clients.length < count && !signal.aborted)
    clients.push(...(await Promise.all(Array.from({ length: Math.min(50, count - clients.length) }, () => open()))))
  progress(`${clients.length} sockets are connected`)

  let isOver = false
  const answers: { before: number[]; during: number[]; failed: number } = { before: [], during: [], failed: 0 }
  let part: 'before' | 'during' = 'before'
  const work = async () => {
    while (!isOver && !signal.aborted) {
      const begun = performance.now()
      const ok = await api.get(`/queues/${queue}/`, token).then(
        ({ status }) => status === 200,
        () => false,
      )
      if (!ok) answers.failed++
      answers[part].push(performance.now() - begun)
      await sleep(5)
    }
  }
  const working = Promise.all(Array.from({ length: 8 }, work))
  const answered = () => answers.before.length + answers.during.length
  const spentSince = async (requestsBefore: number) => ({
    statements: await statements(owner),
    requests: answered() - requestsBefore,
  })
  await owner('select pg_stat_statements_reset()')
  const early = answered()
  await sleep(2000)
  const quiet = await spentSince(early)

  // Something to have missed: a frame for each shows that it is back.
  for (const client of clients) client.terminate()
  await ticket()
  await sleep(200)
  const residentBefore = resident(server.pid)
  let residentPeak = residentBefore
  const watching = setInterval(() => (residentPeak = Math.max(residentPeak, resident(server.pid))), 50)
  await owner('select pg_stat_statements_reset()')
  part = 'during'
  const asked = answers.during.length
  const late = answered()
  const begun = performance.now()
  const back = await Promise.allSettled(clients.map(() => open(position)))
  const seconds = (performance.now() - begun) / 1000
  part = 'before'
  const requests = answers.during.length - asked
  await sleep(1100)
  const spent = await spentSince(late)
  clearInterval(watching)
  isOver = true
  await working
  const returned = back.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  for (const socket of returned) socket.terminate()
  api.close()
  return {
    seconds,
    back: returned.length,
    holes,
    statementsEach: (spent.statements - (spent.requests * quiet.statements) / quiet.requests) / count,
    apiBeforeP99Ms: p99(answers.before),
    apiP99Ms: p99(answers.during),
    apiRequests: requests,
    apiFailed: answers.failed,
    residentBefore,
    residentPeak,
  }
}

export interface StalledReport {
  cut: number
  healthyLost: number
  /** What the server's memory grew by at most, for each stalled socket, in KiB; nothing is taken off for its own needs. */
  residentKiBEach: number
  published: number
}

/** Sockets that upgrade and never read, beside one that does, while events come until all of them are cut. */
export async function stalledConsumers(options: StormOptions): Promise<StalledReport> {
  const { fixture, server, sockets: count, signal, progress } = options
  const queue = fixture.queues[1]!.id
  const token = tokenOf(fixture.admin)
  const api = new Api(server.port, fixture.tenant.slug)
  const slug = fixture.tenant.slug
  const stalled: Socket[] = []
  for (let i = 0; i < count; i++) {
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => {})
    socket.write(
      `GET /ws/tenants/${slug}/queues/${queue}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `Authorization: Bearer ${token}\r\n\r\n`,
    )
    // The answer is read, and nothing after it.
    await once(socket, 'readable')
    stalled.push(socket)
  }
  const heard: number[] = []
  let holes = 0
  const healthy = new WebSocket(`ws://127.0.0.1:${server.port}/ws/tenants/${slug}/queues/${queue}/`, [
    'smartqueue.v1',
    `bearer.${token}`,
  ])
  healthy.on('message', (data) => {
    const { offset, after } = JSON.parse(String(data)) as { offset: number; after?: number }
    if (heard.length > 0 && after !== heard.at(-1)) holes++
    heard.push(offset)
  })
  await once(healthy, 'message')
  await sleep(1000)
  const before = resident(server.pid)
  let peak = before
  const watching = setInterval(() => (peak = Math.max(peak, resident(server.pid))), 20)
  const labels = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(50, 'x'))
  const input = { queue_id: queue, channel: 'api', labels, needs: labels }
  let published = 0
  const ports = new Set(stalled.map(({ localPort }) => localPort!))
  const open = () => established(server.port, ports)
  while (open() > 0 && published < 20_000 && !signal.aborted) {
    await Promise.all(Array.from({ length: 16 }, () => api.post('/tickets/', token, input)))
    published += 16
  }
  const cut = count - open()
  progress(`${published} events cut ${cut} of ${count} stalled sockets`)
  await sleep(500)
  clearInterval(watching)
  for (const socket of stalled) socket.destroy()
  const lost = published + 1 - heard.length + holes
  healthy.terminate()
  api.close()
  return { cut, healthyLost: lost, residentKiBEach: ((peak - before) * 1024) / count, published }
}

/** How many of a server's connections, by the ports of their other side, the kernel has as established. */
function established(port: number, others: ReadonlySet<number>): number {
  const portOf = (address: string) => parseInt(address.split(':')[1]!, 16)
  const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1))
  return rows.filter((row) => {
    const [, local, remote, state] = row.trim().split(/\s+/) as [string, string, string, string]
    return state === '01' && portOf(local) === port && others.has(portOf(remote))
  }).length
}

/** Memory of a process, in MiB. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

/** Statements since the last reset, without those that begin (and set the tenant) or end a transaction, and our own. */
async function statements(owner: Direct['query']): Promise<number> {
  const [row] = await owner<{ count: number }>(
    `select coalesce(sum(calls), 0)::int as count from pg_stat_statements s join pg_database d on d.oid = s.dbid
     where d.datname = current_database() and query !~* '^(begin|commit|rollback|select set_config)' and query !~ 'pg_stat_statements'`,
  )
  return row!.count
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN
}
