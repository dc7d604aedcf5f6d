import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../server/kernel/db/index.ts'
import { Hub, RedisBus } from '../../server/kernel/events/index.ts'
import { RedisLink } from '../../server/kernel/redis.ts'
import { aTenant } from '../../server/test/factories.ts'
import type { TestRedis } from '../../server/test/redis.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import { Api } from './api.ts'
import type { FaultDatabase } from './database.ts'
import { feedOffsets } from './feed-oracle.ts'
import { follow } from './followers.ts'
import { judgeFollower, sum, type FollowVerdict } from './judge.ts'
import type { ServerProcess } from './processes.ts'
import { FaultProxy } from './proxy.ts'

export interface WakeupsOptions {
  database: FaultDatabase
  slug: string
  /** One node commits, the followers are with the others. */
  publisher: ServerProcess
  others: readonly ServerProcess[]
  /** What happens, one after the other; each part lasts `partMs` after that. */
  parts: readonly { name: string; begin?(): Promise<unknown> }[]
  partMs: number
  /** Hears only what this Redis tells, and asks nobody. */
  controlRedis?: string
  signal?: AbortSignal
  progress?(line: string): void
}

/** Time from commit to screen on another node while the ways between nodes break. */
export interface WakeupsReport {
  parts: { name: string; frames: number; p50Ms: number; p99Ms: number; maxMs: number }[]
  followers: FollowVerdict
  /** Events that reached the control at no time. */
  controlLost: number
}

const FOLLOWERS = 4
const AGENTS = 4
/** Of each publisher between two acts. */
const PAUSE_MS = 20

export async function wakeups(options: WakeupsOptions): Promise<WakeupsReport> {
  const { database, slug, publisher, others } = options
  const fixture = await aTenant(database.owner, { slug, counters: AGENTS, agents: AGENTS })
  const { id: queueId, site_id: siteId } = fixture.queues[0]!
  const token = tokenOf(fixture.supervisor, 3600)
  let latencies: number[] = []
  const followers = Array.from({ length: FOLLOWERS }, (_, n) =>
    follow({
      url: () => `ws://127.0.0.1:${others[n % others.length]!.port}/ws/tenants/${slug}/queues/${queueId}/`,
      token,
      // Both clocks are this machine's.
      onFrame: ({ type, at }) => at && type !== 'snapshot' && latencies.push(Date.now() - Date.parse(at)),
    }),
  )
  const control = await followByRedis(options, fixture.tenant.id, siteId)
  const api = new Api(publisher.port, slug)
  let isOver = false
  async function act(n: number) {
    const { id } = fixture.agents[n]!
    const agentToken = tokenOf(fixture.agentActors[n]!, 3600)
    for (let i = 0; !isOver; i++) {
      await api.post(`/agents/${id}/set-status/`, agentToken, { status: i % 2 ? 'available' : 'break' })
      await sleep(PAUSE_MS)
    }
  }
  const parts: WakeupsReport['parts'] = []
  const acting = Promise.all(Array.from({ length: AGENTS }, (_, n) => act(n)))
  acting.catch(() => {})
  try {
    await sleep(500)
    for (const { name, begin } of options.parts) {
      latencies = []
      await begin?.()
      await Promise.race([sleep(options.partMs), acting])
      if (options.signal?.aborted) break
      const sorted = latencies.toSorted((a, b) => a - b)
      const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
      const part = { name, frames: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
      parts.push(part)
      options.progress?.(
        `${name}: ${part.frames} frames, p50 ${part.p50Ms} ms, p99 ${part.p99Ms} ms, most ${part.maxMs} ms`,
      )
    }
    isOver = true
    await acting
    const oracle = await feedOffsets(database.owner, siteId, queueId)
    for (let waited = 0; waited < 10_000; waited += 20) {
      if (followers.every(({ view }) => view()?.offset === oracle.at(-1))) break
      await sleep(20)
    }
    return {
      parts,
      followers: sum(followers.map(({ heard }) => judgeFollower(heard, oracle))),
      controlLost: control.missing(oracle),
    }
  } finally {
    isOver = true
    await acting.catch(() => {})
    await control.close()
    for (const follower of followers) follower.close()
    api.close()
  }
}

async function followByRedis({ database, controlRedis }: WakeupsOptions, tenantId: number, siteId: number) {
  if (!controlRedis) return { missing: () => 0, close: async () => {} }
  const db = await openDatabase({ url: database.url, directUrl: database.directUrl })
  const link = new RedisLink(controlRedis)
  const hub = new Hub(db, { buses: [new RedisBus(link)], isPolling: false })
  await hub.start()
  const tail = await hub.tail(tenantId, siteId)
  const from = tail.offset
  /** Told while it mattered: a second after the commit it is of no use to a screen. */
  const heard = new Set<number>()
  tail.listeners.add((events) => {
    for (const { offset, at } of events) if (Date.now() - Date.parse(at) < 1000) heard.add(offset)
  })
  return {
    missing: (oracle: readonly number[]) => oracle.filter((offset) => offset > from && !heard.has(offset)).length,
    async close() {
      await hub.stop()
      link.close()
      await db.close()
    },
  }
}

/** Redis as it comes and goes. */
export const redisParts = (redis: TestRedis): WakeupsOptions['parts'] => [
  { name: 'with Redis' },
  { name: 'Redis killed', begin: () => redis.kill() },
  { name: 'Redis back', begin: () => redis.start() },
]

/** A proxy before the database's socket, and the URL through it. */
export async function beforeDatabase({ directUrl }: FaultDatabase): Promise<{ proxy: FaultProxy; url: string }> {
  const url = new URL(directUrl)
  const proxy = await FaultProxy.open(`${url.searchParams.get('host')}/.s.PGSQL.${url.port || 5432}`)
  url.searchParams.delete('host')
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  return { proxy, url: url.href }
}
