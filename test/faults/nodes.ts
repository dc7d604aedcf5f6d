import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Direct } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api, type Answer } from './api.ts'
import { Balancer } from './balancer.ts'
import { feedOffsets } from './feed-oracle.ts'
import { follow } from './followers.ts'
import { judgeFollower, sum, type FollowVerdict } from './judge.ts'
import type { ServerProcess } from './processes.ts'

export interface NodesOptions {
  owner: Direct['query']
  /** On one database; none of them takes jobs. */
  servers: readonly ServerProcess[]
  slug: string
  followers: number
  /** Nodes that get kill -9, and nodes that get SIGTERM, one after the other. */
  kills: number
  stops: number
  /** How long everything is quiet again after each. */
  restMs: number
  signal?: AbortSignal
  progress?(line: string): void
}

/** What became of requests and live connections while nodes went. */
interface Part {
  requests: number
  /** First attempts without an answer or with 5xx. */
  failed: number
  /** … whose one repetition with the same key failed too. */
  failedTwice: number
  /** Close codes that followers saw, with how often. */
  closes: Record<number, number>
}
export interface NodesReport {
  killed: Part
  stopped: Part
  /** Different moments at which followers were told to come back by nodes that stopped. */
  hints: number
  followers: FollowVerdict
  /** Tickets beyond one for each request. */
  double: number
  seconds: number
}

const CALLERS = 12
/** Of each caller between two requests: on any machine fewer events than a feed repeats one by one after seconds. */
const PAUSE_MS = 150
/** Before a request is repeated. */
const RETRY_AFTER_MS = 200

/** Requests and followers behind a load balancer, while nodes are killed, then while they are asked to stop. */
export async function nodes(options: NodesOptions): Promise<NodesReport> {
  const { owner, servers, slug } = options
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const fixture = await aTenant(owner, { slug })
  const { id: queueId, site_id: siteId } = fixture.queues[0]!
  await owner('update queues set one_ticket_per_device = false, number_last = 9999999 where id = $1', [queueId])
  const balancer = await Balancer.open(servers.map(({ port }) => port))
  const part = (): Part => ({ requests: 0, failed: 0, failedTwice: 0, closes: {} })
  const report = { killed: part(), stopped: part() }
  const hints = new Set<string>()
  let now = report.killed
  let isOver = false

  const token = tokenOf(fixture.supervisor, 3600)
  const followers = Array.from({ length: options.followers }, () =>
    follow({
      url: () => `ws://127.0.0.1:${balancer.port}/ws/tenants/${slug}/queues/${queueId}/`,
      token,
      onClose(code, reason) {
        if (isOver) return
        now.closes[code] = (now.closes[code] ?? 0) + 1
        if (code === 1012 && reason.startsWith('retry_after_ms=')) hints.add(reason)
      },
    }),
  )
  const kiosk = tokenOf(fixture.kiosk, 3600)
  const taken = new Set<number>()
  async function call() {
    // A connection each, kept open from request to request.
    const api = new Api(balancer.port, slug)
    while (!isOver) {
      const current = now
      current.requests++
      const key = randomUUID()
      const send = () => attempt(api, kiosk, queueId, key)
      let answer = await send()
      if (!answer) {
        current.failed++
        await sleep(RETRY_AFTER_MS * (1 + Math.random()))
        answer = await send()
        if (!answer) current.failedTwice++
      }
      if (answer) taken.add((JSON.parse(answer.body) as { id: number }).id)
      await sleep(PAUSE_MS)
    }
    api.close()
  }

  const calling = Array.from({ length: CALLERS }, call)
  try {
    await sleep(options.restMs)
    for (let i = 0; i < options.kills && !options.signal?.aborted; i++) {
      const server = servers[i % servers.length]!
      await server.kill()
      await sleep(options.restMs)
      await server.start()
      options.progress?.(`${i + 1} killed, ${describe(report.killed)}, ${seconds().toFixed(0)} s`)
    }
    await sleep(options.restMs)
    now = report.stopped
    for (let i = 0; i < options.stops && !options.signal?.aborted; i++) {
      // After the kills, followers are with the nodes that were killed least lately.
      const server = servers.at(-1 - (i % servers.length))!
      await server.stop()
      await sleep(options.restMs)
      await server.start()
      options.progress?.(`${i + 1} stopped, ${describe(report.stopped)}, ${seconds().toFixed(0)} s`)
    }
    await sleep(options.restMs)
    isOver = true
    await Promise.all(calling)
    const oracle = await feedOffsets(owner, siteId, queueId)
    for (let waited = 0; waited < 15_000; waited += 20) {
      if (followers.every(({ view }) => view()?.offset === oracle.at(-1))) break
      await sleep(20)
    }
    const [row] = await owner<{ count: number }>('select count(*)::int as count from tickets where queue_id = $1', [
      queueId,
    ])
    return {
      ...report,
      hints: hints.size,
      followers: sum(followers.map(({ heard }) => judgeFollower(heard, oracle))),
      double: row!.count - taken.size,
      seconds: seconds(),
    }
  } finally {
    isOver = true
    await Promise.all(calling)
    for (const follower of followers) follower.close()
    balancer.close()
  }
}

/** The answer of a take; null when there was none or it was the server's failure. A key in flight is waited for. */
async function attempt(api: Api, token: string, queueId: number, key: string): Promise<Answer | null> {
  for (;;) {
    const answer = await api.post('/tickets/', token, { queue_id: queueId, channel: 'kiosk' }, key).catch(() => null)
    if (answer?.status !== 409) return answer && answer.status < 500 ? answer : null
    await sleep(50)
  }
}

const describe = ({ requests, failed, failedTwice }: Part) =>
  `${requests} requests, ${failed} failed, ${failedTwice} also when repeated`
