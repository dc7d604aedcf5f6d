import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Direct } from '../../server/kernel/db/index.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import type { Board } from '../../shared/board.ts'
import { randomizer } from '../random.ts'
import { Api } from './api.ts'
import { feedOffsets } from './feed-oracle.ts'
import { follow, followNaively } from './followers.ts'
import { judgeFollower, sum, type FollowVerdict } from './judge.ts'
import { publish } from './publishers.ts'
import { FaultProxy, storm } from './proxy.ts'

export interface ReconnectOptions {
  owner: Direct['query']
  /** Two queues of one site; an agent for each publisher. */
  fixture: TenantFixture
  /** Ports of the servers, all on one database. Of several, publishers leave out the last, which may die meanwhile. */
  ports: readonly number[]
  clients: number
  /** Followers without recovery, who must lose something. */
  naiveClients: number
  /** It goes on until the feed has this many events and the clients have come back this often. */
  events: number
  reconnects: number
  maxSeconds: number
  seed: number
  /** Ends the run early. */
  signal?: AbortSignal
  progress?(line: string): void
  /** What else happens meanwhile, until it is over. */
  meanwhile?(isOver: () => boolean): Promise<void>
}

export interface ReconnectReport {
  events: number
  clients: FollowVerdict
  naive: FollowVerdict
  /** Clients whose last view is not the board as read afresh, for each server asked. */
  wrongBoards: number
  harmed: number
  acts: { done: number; refused: number }
  seconds: number
}

/** Publishers at work, followers behind faulty networks; then everybody is compared with the database. */
export async function reconnect(options: ReconnectOptions): Promise<ReconnectReport> {
  const { owner, fixture, ports, seed } = options
  const queueId = fixture.queues[0]!.id
  const siteId = fixture.queues[0]!.site_id
  const random = randomizer(seed)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const offsets = () => feedOffsets(owner, siteId, queueId)

  const proxies = await Promise.all(ports.map((port) => FaultProxy.open(port)))
  const apis = ports.map((port) => new Api(port, fixture.tenant.slug))
  const url = () => {
    const { port } = proxies[Math.floor(random() * proxies.length)]!
    return `ws://127.0.0.1:${port}/ws/tenants/${fixture.tenant.slug}/queues/${queueId}/`
  }
  const token = tokenOf(fixture.supervisor, 3600)
  const clients = Array.from({ length: options.clients }, () => follow({ url, token }))
  const naive = Array.from({ length: options.naiveClients }, () => followNaively({ url, token }))
  const reconnects = () => clients.reduce((total, { heard }) => total + Math.max(0, heard.connections - 1), 0)

  let isOver = false
  const publishing = publish({
    fixture,
    apis: apis.slice(0, Math.max(1, apis.length - 1)),
    random,
    pauseMs: 25,
    isOver: () => isOver,
  })
  publishing.catch(() => {})
  const weather = storm(proxies, random, 100)
  const meanwhile = options.meanwhile?.(() => isOver)
  meanwhile?.catch(() => {})
  try {
    for (;;) {
      await Promise.race([sleep(1000), publishing])
      const { length } = await offsets()
      options.progress?.(`${length} events, ${reconnects()} reconnects, ${seconds().toFixed(0)} s`)
      if (length >= options.events && reconnects() >= options.reconnects) break
      if (seconds() > options.maxSeconds || options.signal?.aborted) break
    }
    isOver = true
    const [acts] = await Promise.all([publishing, weather.stop(), meanwhile])
    const oracle = await offsets()
    await untilAllStand(
      clients.map(({ view }) => view),
      oracle.at(-1) ?? 0,
    )
    const boards = await Promise.all(apis.map((api) => api.get(`/queues/${queueId}/board/`, token)))
    const fresh = boards.map(({ body }) => JSON.parse(body) as Board)
    return {
      events: oracle.length,
      clients: sum(clients.map(({ heard }) => judgeFollower(heard, oracle))),
      naive: sum(naive.map(({ heard }) => judgeFollower(heard, oracle))),
      wrongBoards: clients.filter(({ view }) => !fresh.every((board) => isDeepStrictEqual(view(), board))).length,
      harmed: proxies.flatMap(({ harmed }) => Object.values(harmed)).reduce((a, b) => a + b, 0),
      acts,
      seconds: seconds(),
    }
  } finally {
    isOver = true
    await weather.stop()
    for (const follower of [...clients, ...naive]) follower.close()
    for (const proxy of proxies) proxy.close()
    for (const api of apis) api.close()
  }
}

/** Waits until everybody has the last event; who never gets there has lost it. */
async function untilAllStand(views: readonly (() => Board | null)[], offset: number): Promise<void> {
  for (let waited = 0; waited < 30_000 && !views.every((view) => view()?.offset === offset); waited += 20)
    await sleep(20)
}
