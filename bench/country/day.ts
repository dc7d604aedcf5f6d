import { Heap } from '../../server/replay/heap.ts'
import { systemActor } from '../../server/kernel/access.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Connection } from '../http/connection.ts'
import { requestHead } from '../http/driver.ts'
import { quantile } from '../measure/stats.ts'
import type { Step } from './lines.ts'
import type { Desk } from './towns.ts'

/** What became of a day: everything counted by those who asked. */
export interface DayReport {
  seconds: number
  tickets: number
  calls: number
  requests: number
  /** Answers other than expected, with the first of them. */
  failures: string[]
  /** Calls that brought somebody else than whose turn it was. */
  outOfTurn: number
  p50Ms: number
  p99Ms: number
}

const TOKEN_SECONDS = 7200
/** Sites do not open at the same second: each day is moved by up to so many seconds. */
const SPREAD_SECONDS = 1800
const GOLDEN = (Math.sqrt(5) - 1) / 2

/** One line's day being played: its next step, who is at which counter, and who has which ticket. */
interface Playing {
  desk: Desk
  shift: number
  next: number
  free: number[]
  /** By visit: the ticket, and the agent who serves it. */
  tickets: Map<number, { id: number; agent: number }>
  headers: Record<string, string>
}

/**
 * Plays the same recorded day at every desk as fast as it is answered: steps of one line one after the other, lines side
 * by side on so many connections, whoever is furthest behind in the day first.
 */
export async function playDay(
  port: number,
  desks: readonly Desk[],
  connections: number,
  progress: (done: number, of: number, requests: number) => void,
): Promise<DayReport> {
  const tokens = new Map(
    [...new Map(desks.map((desk) => [desk.tenantId, desk])).keys()].map((id) => [id, administrator(id)]),
  )
  const lines = new Heap<Playing>((a, b) => dueOf(a) < dueOf(b))
  for (const [n, desk] of desks.entries())
    lines.push({
      desk,
      shift: ((n * GOLDEN) % 1) * SPREAD_SECONDS,
      next: 0,
      free: [...desk.agents],
      tickets: new Map(),
      headers: { Authorization: `Bearer ${tokens.get(desk.tenantId)}`, 'Content-Type': 'application/json' },
    })
  const steps = desks.reduce((sum, { line }) => sum + line.steps.length, 0)
  const latencies: number[] = []
  const report = { tickets: 0, calls: 0, outOfTurn: 0, failures: [] as string[] }
  let [done, resting] = [0, [] as (() => void)[]]

  const started = performance.now()
  await Promise.all(Array.from({ length: connections }, () => work()))
  const seconds = (performance.now() - started) / 1000
  const sorted = Float64Array.from(latencies).toSorted()
  return {
    seconds,
    requests: latencies.length,
    ...report,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }

  async function work() {
    const connection = await Connection.open(port)
    while (done < steps) {
      const line = lines.pop()
      if (!line) {
        // Fewer lines than connections: wait until one is put back.
        await new Promise<void>((wake) => resting.push(wake))
        continue
      }
      await play(connection, line, line.desk.line.steps[line.next++]!)
      if (line.next < line.desk.line.steps.length) lines.push(line)
      if (++done % 5000 === 0) progress(done, steps, latencies.length)
      if (done === steps) for (const wake of resting) wake()
      else resting.pop()?.()
    }
    connection.close()
  }

  async function play(connection: Connection, line: Playing, { kind, visit }: Step) {
    const { tickets, free, desk } = line
    const post = (path: string, input: object = {}) => ask(connection, line, 'POST', path, input)
    if (kind === 'take') {
      const ticket = await post('/tickets/', { queue_id: desk.queueId, channel: 'kiosk', language: 'fr' })
      if (!ticket) return
      report.tickets++
      tickets.set(visit, { id: ticket['id'] as number, agent: 0 })
      await ask(connection, line, 'GET', `/tickets/${ticket['id']}/`)
      return
    }
    const own = tickets.get(visit)
    if (!own) return
    if (kind === 'call') {
      own.agent = free.pop()!
      const answer = await post(`/agents/${own.agent}/call-next/`)
      const called = (answer?.['ticket'] ?? null) as { id: number } | null
      if (called) report.calls++
      if (called?.id !== own.id) report.outOfTurn++
      await post(`/tickets/${own.id}/start/`)
      await ask(connection, line, 'GET', `/queues/${desk.queueId}/board/`)
      return
    }
    if (kind === 'complete') {
      await post(`/tickets/${own.id}/complete/`)
      free.push(own.agent)
    } else await post(`/tickets/${own.id}/cancel/`)
    tickets.delete(visit)
  }

  function ask(
    connection: Connection,
    { desk, headers }: Playing,
    method: 'GET' | 'POST',
    path: string,
    input?: object,
  ) {
    const body = input ? JSON.stringify(input) : ''
    const head = requestHead(method, `/api/v1/tenants/${desk.slug}${path}`, headers)
    const length = input ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : ''
    const from = performance.now()
    return new Promise<Record<string, unknown> | undefined>((resolve) => {
      connection.ask(`${head}${length}\r\n${body}`, (status, answer) => {
        latencies.push(performance.now() - from)
        const text = answer.toString('utf8')
        if (status >= 200 && status < 300) return resolve(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)))
        report.failures.push(`${method} ${path}: ${status} ${text.slice(-300)}`)
        resolve(undefined)
      })
    })
  }
}

const dueOf = ({ desk, next, shift }: Playing) => (desk.line.steps[next]?.at ?? Infinity) + shift
const administrator = (tenantId: number) =>
  tokenOf({ ...systemActor(tenantId), role: 'admin', userId: 1 }, TOKEN_SECONDS)
