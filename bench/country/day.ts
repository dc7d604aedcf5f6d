import { setTimeout as sleep } from 'node:timers/promises'
import { Heap } from '../../server/replay/heap.ts'
import { systemActor } from '../../server/kernel/access.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Connection } from '../http/connection.ts'
import { requestHead } from '../http/driver.ts'
import { quantile } from '../measure/stats.ts'
import type { Step } from './lines.ts'
import type { Desk } from './towns.ts'

/** What was done at a queue, by the answers. */
export interface Told {
  taken: number
  called: number
  completed: number
  left: number
}
/** Asks as an administrator of the desk's organisation; undefined when that fails, which is counted. */
export type Asked = (
  desk: Desk,
  method: 'GET' | 'POST',
  path: string,
  input?: object,
) => Promise<Record<string, unknown> | undefined>

/** What became of a day: everything counted by those who asked. */
export interface DayReport {
  /** Without the pause at half-time. */
  seconds: number
  /** By queue. */
  told: Map<number, Told>
  tickets: number
  calls: number
  requests: number
  /** Times that somebody was told by 503 to come again and did, after as long as they were told. */
  putOff: number
  /** Answers other than expected, with the first of them. */
  failures: string[]
  /** Calls that brought somebody else than whose turn it was. */
  outOfTurn: number
  p50Ms: number
  p99Ms: number
  /** Heads and bodies. */
  bytesAsked: number
  bytesAnswered: number
}

const TOKEN_SECONDS = 7200
/** Sites do not open at the same second: each day is moved by up to so many seconds. */
const SPREAD_SECONDS = 1800
const GOLDEN = (Math.sqrt(5) - 1) / 2

/** A server with too much to do puts people off; who has come so often gives up. */
const MOST_REPEATS = 20
/** How often is told how far it is. */
const PROGRESS_MS = 5000

/** One line's day being played: its next step, who is at which counter, and who has which ticket. */
interface Playing {
  desk: Desk
  told: Told
  shift: number
  next: number
  free: number[]
  /** By visit: the ticket, and the agent who serves it. */
  tickets: Map<number, { id: number; agent: number }>
}

export interface DayOptions {
  port: number
  connections: number
  progress: (line: string) => void
  /** Run when half of all steps are done and nobody asks anything. */
  atHalf: (ask: Asked) => Promise<void>
  /** Run when all is done; its requests are not in the report's. */
  atEnd: (ask: Asked, told: ReadonlyMap<number, Told>) => Promise<void>
}

/**
 * Plays the same recorded day at every desk as fast as it is answered: steps of one line one after the other, lines side
 * by side on so many connections, whoever is furthest behind in the day first.
 */
export async function playDay(
  desks: readonly Desk[],
  { port, connections, progress, atHalf, atEnd }: DayOptions,
): Promise<DayReport> {
  const headers = new Map(
    [...new Set(desks.map(({ tenantId }) => tenantId))].map((id) => [
      id,
      { Authorization: `Bearer ${administrator(id)}`, 'Content-Type': 'application/json' },
    ]),
  )
  const told = new Map(desks.map(({ queueId }) => [queueId, { taken: 0, called: 0, completed: 0, left: 0 }]))
  const lines = new Heap<Playing>((a, b) => dueOf(a) < dueOf(b))
  for (const [n, desk] of desks.entries())
    lines.push({
      desk,
      told: told.get(desk.queueId)!,
      shift: ((n * GOLDEN) % 1) * SPREAD_SECONDS,
      next: 0,
      free: [...desk.agents],
      tickets: new Map(),
    })
  const steps = desks.reduce((sum, { line }) => sum + line.steps.length, 0)
  const half = Math.ceil(steps / 2)
  const latencies: number[] = []
  const report = {
    tickets: 0,
    calls: 0,
    putOff: 0,
    outOfTurn: 0,
    failures: [] as string[],
    bytesAsked: 0,
    bytesAnswered: 0,
  }
  let [begun, done] = [0, 0]
  let halfTimeMs = 0
  const halfTime = Promise.withResolvers<void>()

  const started = performance.now()
  const ticker = setInterval(() => {
    const seconds = (performance.now() - started - halfTimeMs) / 1000
    const [percent, rate] = [((100 * done) / steps).toFixed(0), (latencies.length / seconds).toFixed(0)]
    const left = ((seconds / Math.max(1, done)) * (steps - done)).toFixed(0)
    progress(
      `${percent} % of the day: ${report.tickets} tickets, ${latencies.length} requests, ${rate} a second; ${left} s to go`,
    )
  }, PROGRESS_MS)
  try {
    await Promise.all(Array.from({ length: connections }, () => work()))
  } finally {
    clearInterval(ticker)
  }
  const seconds = (performance.now() - started - halfTimeMs) / 1000
  const sorted = Float64Array.from(latencies).toSorted()
  const answer = {
    seconds,
    told,
    requests: latencies.length,
    ...report,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }
  await aside((ask) => atEnd(ask, told))
  return answer

  /** Asks on a connection of its own, and counts nothing but failures. */
  async function aside(work: (ask: Asked) => Promise<void>): Promise<void> {
    const connection = await Connection.open(port)
    const counted = { ...report, requests: latencies.length }
    await work((...asked) => ask(connection, ...asked))
    latencies.length = counted.requests
    Object.assign(report, { bytesAsked: counted.bytesAsked, bytesAnswered: counted.bytesAnswered })
    connection.close()
  }

  async function work() {
    const connection = await Connection.open(port)
    for (;;) {
      if (begun >= half) await halfTime.promise
      const line = lines.pop()
      // Whatever is left is with the others, each of whom goes on with one.
      if (!line) break
      begun++
      await play(connection, line, line.desk.line.steps[line.next++]!)
      if (line.next < line.desk.line.steps.length) lines.push(line)
      if (++done === half) await rest()
    }
    connection.close()
  }

  async function rest() {
    const from = performance.now()
    await aside(atHalf)
    halfTimeMs = performance.now() - from
    halfTime.resolve()
  }

  async function play(connection: Connection, line: Playing, { kind, visit }: Step) {
    const { tickets, free, desk } = line
    const post = (path: string, input: object = {}) => ask(connection, desk, 'POST', path, input)
    if (kind === 'take') {
      const ticket = await post('/tickets/', { queue_id: desk.queueId, channel: 'kiosk', language: 'fr' })
      if (!ticket) return
      report.tickets++
      line.told.taken++
      tickets.set(visit, { id: ticket['id'] as number, agent: 0 })
      await ask(connection, desk, 'GET', `/tickets/${ticket['id']}/`)
      return
    }
    const own = tickets.get(visit)
    if (!own) return
    if (kind === 'call') {
      own.agent = free.pop()!
      const answer = await post(`/agents/${own.agent}/call-next/`)
      const called = (answer?.['ticket'] ?? null) as { id: number } | null
      if (called) {
        report.calls++
        line.told.called++
      }
      if (called?.id !== own.id) report.outOfTurn++
      await post(`/tickets/${own.id}/start/`)
      await ask(connection, desk, 'GET', `/queues/${desk.queueId}/board/`)
      return
    }
    if (kind === 'complete') {
      if (await post(`/tickets/${own.id}/complete/`)) line.told.completed++
      free.push(own.agent)
    } else if (await post(`/tickets/${own.id}/cancel/`)) line.told.left++
    tickets.delete(visit)
  }

  async function ask(...asked: Parameters<typeof send>): Promise<Record<string, unknown> | undefined> {
    for (let again = 0; ; again++) {
      const { status, text } = await send(...asked)
      if (status >= 200 && status < 300) return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
      const retryAfter = /\r\nretry-after: *(\d+)/i.exec(text)?.[1]
      if (status !== 503 || retryAfter === undefined || again === MOST_REPEATS) {
        report.failures.push(`${asked[2]} ${asked[3]}: ${status} ${text.slice(-300)}`)
        return undefined
      }
      report.putOff++
      await sleep(Number(retryAfter) * 1000)
    }
  }

  function send(connection: Connection, desk: Desk, method: 'GET' | 'POST', path: string, input?: object) {
    const body = input ? JSON.stringify(input) : ''
    const head = requestHead(method, `/api/v1/tenants/${desk.slug}${path}`, headers.get(desk.tenantId)!)
    const length = input ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : ''
    const from = performance.now()
    return new Promise<{ status: number; text: string }>((resolve) => {
      const request = `${head}${length}\r\n${body}`
      report.bytesAsked += Buffer.byteLength(request)
      connection.ask(request, (status, answer) => {
        report.bytesAnswered += answer.length
        latencies.push(performance.now() - from)
        resolve({ status, text: answer.toString('utf8') })
      })
    })
  }
}

const dueOf = ({ desk, next, shift }: Playing) => (desk.line.steps[next]?.at ?? Infinity) + shift
const administrator = (tenantId: number) =>
  tokenOf({ ...systemActor(tenantId), role: 'admin', userId: 1 }, TOKEN_SECONDS)
