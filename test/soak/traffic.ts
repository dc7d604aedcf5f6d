import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Api, type Answer } from '../faults/api.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'

export interface Traffic {
  requests: number
  /** No answer, or one of 500 and more: the first of each kind is kept. */
  failures: Map<string, number>
  /** Told to come again by 503 with Retry-After: sent again then, once, with the same key. */
  putOff: number
  /** Acknowledged tickets, and those that agents were given. */
  taken: number
  called: number
  /** Longest time between two good answers, in milliseconds. */
  longestGapMs: number
  stop(): Promise<void>
}
const HOUR = 3600

/** Visitors who take tickets, agents who call and serve them, readers of lists and figures: each waits for one answer and asks the next. */
export function traffic(port: number, fixture: TenantFixture, restMs: number): Traffic {
  const api = new Api(port, fixture.tenant.slug)
  const queue = fixture.queues[0]!.id
  let isOver = false
  let goodAt = performance.now()
  const report: Traffic = { requests: 0, failures: new Map(), putOff: 0, taken: 0, called: 0, longestGapMs: 0, stop }

  async function ask(what: string, send: (key: string) => Promise<Answer>): Promise<Answer | null> {
    const key = randomUUID()
    const attempt = (): Promise<Answer> =>
      send(key).catch((error: unknown) => ({ status: 0, body: String(error), isReplay: false }))
    let answer = await attempt()
    report.requests++
    if (answer.status === 503 && answer.retryAfter !== undefined) {
      report.putOff++
      await sleep(Number(answer.retryAfter) * 1000)
      answer = await attempt()
    }
    if (answer.status === 0 || answer.status >= 500) {
      const kind = `${what}: ${answer.status} ${answer.body.slice(0, 200)}`
      report.failures.set(kind, (report.failures.get(kind) ?? 0) + 1)
      return null
    }
    const at = performance.now()
    report.longestGapMs = Math.max(report.longestGapMs, at - goodAt)
    goodAt = at
    return answer
  }
  const until = async (work: () => Promise<void>) => {
    while (!isOver) {
      await work()
      await sleep(restMs)
    }
  }
  const kiosk = tokenOf(fixture.kiosk, 4 * HOUR)
  const admin = tokenOf(fixture.admin, 4 * HOUR)
  const visitor = async () => {
    const answer = await ask('take', (key) => api.post('/tickets/', kiosk, { queue_id: queue, channel: 'kiosk' }, key))
    if (answer?.status === 201) report.taken++
  }
  const agent = (index: number) => async () => {
    const token = tokenOf(fixture.agentActors[index]!, HOUR)
    const called = await ask('call', (key) =>
      api.post(`/agents/${fixture.agents[index]!.id}/call-next/`, token, {}, key),
    )
    const { ticket } = (called?.status === 200 ? JSON.parse(called.body) : {}) as { ticket?: { id: number } | null }
    if (!ticket) return
    report.called++
    await ask('start', (key) => api.post(`/tickets/${ticket.id}/start/`, token, {}, key))
    await ask('complete', (key) => api.post(`/tickets/${ticket.id}/complete/`, token, {}, key))
  }
  const READS = ['/queues/', '/tickets/?limit=20', `/queues/${queue}/stats/`, `/queues/${queue}/board/`, '/agents/']
  let turn = 0
  const reader = async () => {
    const path = READS[turn++ % READS.length]!
    await ask(`read ${path}`, () => api.get(path, admin))
  }
  const people = [visitor, visitor, visitor, reader, reader, ...fixture.agents.map((_, i) => agent(i))]
  const working = Promise.all(people.map(until))
  async function stop() {
    isOver = true
    await working
    api.close()
  }
  return report
}

export const failed = ({ failures }: Traffic): number => [...failures.values()].reduce((sum, count) => sum + count, 0)
