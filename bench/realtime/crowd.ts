import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Direct } from '../../server/kernel/db/direct.ts'
import type { StreamEvent } from '../../server/kernel/events/index.ts'
import { feeds } from '../../server/modules/index.ts'
import type { Verdict } from '../goals.ts'
import { median, quantile } from '../measure/stats.ts'
import type { Server } from '../server.ts'
import type { World } from '../world.ts'
import type { Clients } from './clients.ts'
import { descriptorOf, Stage, writeBare } from './stage.ts'

export interface CrowdBench {
  server: Server
  world: World
  db: Direct
  /** Connected clients of the server, newest last. */
  sockets: ReadonlySet<Socket>
  clients: Clients
  /** Those whom the process was warmed with, and its memory with them. */
  warm: { sockets: number } & Memory
  repetitions: number
  log(line: string): void
}

/** What a number of sockets on one queue costs. Times in milliseconds, memory in KiB a connection. */
export interface CrowdResult {
  sockets: number
  connectsPerSecond: number
  heapKiB: number
  residentKiB: number
  p50Ms: number
  p99Ms: number
  /** Messages a second. */
  bareC: number
  bareJs: number
  each: number
  together: number
  /** Median of the ratios of the repetitions, to the bare loop in C and in JavaScript. */
  eachByC: number
  eachByJs: number
  togetherByC: number
  togetherByJs: number
  stormSeconds: number
  stormTransactions: number
}

/** Like a screen's four events a second. */
const EVENTS = 24
const PAUSE_MS = 250
/** Of each subject and repetition. */
const MESSAGES = 100_000
/** A process can be given so many descriptors beside its own. */
const MOST_INHERITED = 5000

/** The first connections bring code and buffers that all share: they count for none. */
const WARM = 100
export async function warmUp(bench: Omit<CrowdBench, 'warm'>): Promise<CrowdBench['warm']> {
  await bench.clients.open(WARM, upgrade(bench))
  for (let i = 0; i < 10; i++) await bench.clients.reopen(upgrade(bench))
  await sleep(500)
  return { sockets: WARM, ...memory() }
}

/** Connects up to `size` sockets, measures, and leaves them connected. */
export async function crowd(bench: CrowdBench, size: number): Promise<CrowdResult> {
  const { server, world, clients, log } = bench
  const { hub, db } = server.app
  const context = { db, hub, tenant: server.tenant, actor: server.actor, locale: 'fr' as const }
  const feed = await feeds.find(({ name }) => name === 'queue')!.open(context, { queue_id: String(world.hotQueue) })
  const take = () =>
    server.execute(server.operation('tickets.take'), { queue_id: world.hotQueue, channel: 'kiosk', language: 'fr' })

  const added = size - bench.sockets.size
  const connectsPerSecond = added / (await clients.open(added, upgrade(bench)))
  await sleep(500)
  const occupied = memory()
  const perConnection = (bytes: number) => bytes / (size - bench.warm.sockets) / 1024
  log(`${size} sockets: ${connectsPerSecond.toFixed(0)} connects/s`)

  // From the commit to each socket, through the product's own live server.
  const committed: bigint[] = []
  let last: StreamEvent | undefined
  const observe = (events: readonly StreamEvent[]) => {
    for (const event of events) {
      if (!feed.select(event)) continue
      last = event
      committed.push(process.hrtime.bigint())
    }
  }
  await take()
  await sleep(300)
  hub.observers.add(observe)
  const { arrivals } = await clients.expect(EVENTS)
  while (committed.length < EVENTS) {
    await take()
    await sleep(PAUSE_MS)
  }
  hub.observers.delete(observe)
  const latencies = Float64Array.from(await arrivals, (at, i) => Number(at - committed[i % EVENTS]!) / 1e6).toSorted()
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
  log(`${size} sockets: delivery p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`)

  const rates = await contest(bench, size, await Stage.build(feed, server.tenant.id, last!, [...bench.sockets]))
  const storm = await reconnectStorm(bench, size, last!, take)
  return {
    sockets: size,
    connectsPerSecond,
    heapKiB: perConnection(occupied.heap - bench.warm.heap),
    residentKiB: perConnection(occupied.resident - bench.warm.resident),
    p50Ms,
    p99Ms,
    ...rates,
    ...storm,
  }
}

/** Four senders by turns on the same sockets; a rate counts from the first arrival to the last. */
async function contest({ clients, sockets, repetitions, log }: CrowdBench, size: number, stage: Stage) {
  const events = Math.max(10, Math.round(MESSAGES / size / 10) * 10)
  const descriptors = [...sockets].map(descriptorOf)
  const bytes = stage.frame
  const senders = {
    bareC: () => (size <= MOST_INHERITED ? clients.writeBare(descriptors, bytes, events) : undefined),
    bareJs: () => writeBare(descriptors, bytes, events),
    each: () => stage.sendEach(events),
    together: () => stage.sendTogether(events),
  }
  type Sender = keyof typeof senders
  const rates: Record<Sender, number[]> = { bareC: [], bareJs: [], each: [], together: [] }
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const [name, send] of Object.entries(senders) as [Sender, () => Promise<void> | undefined][]) {
      if (name === 'bareC' && size > MOST_INHERITED) {
        rates.bareC.push(Number.NaN)
        continue
      }
      const { arrivals } = await clients.expect(events)
      await send()
      const moments = await arrivals
      const [first, end] = extremes(moments)
      // The first round warms.
      if (repetition > 0) rates[name].push(moments.length / (Number(end - first) / 1e9))
    }
  }
  stage.close()
  if (size > MOST_INHERITED) rates.bareC.shift()
  const ratio = (a: Sender, b: Sender) => median(rates[a].map((rate, i) => rate / rates[b][i]!))
  const result = {
    bareC: median(rates.bareC),
    bareJs: median(rates.bareJs),
    each: median(rates.each),
    together: median(rates.together),
    eachByC: ratio('each', 'bareC'),
    eachByJs: ratio('each', 'bareJs'),
    togetherByC: ratio('together', 'bareC'),
    togetherByJs: ratio('together', 'bareJs'),
  }
  log(
    `${size} sockets, ${bytes.length} bytes: bare C ${result.bareC.toFixed(0)}/s · bare JavaScript ${result.bareJs.toFixed(0)}/s · ` +
      `a write per event ${result.each.toFixed(0)}/s · coalesced ${result.together.toFixed(0)}/s`,
  )
  return result
}

/** Everybody is reset at once and comes back at once, without the pauses that our clients make, with a position. */
async function reconnectStorm(bench: CrowdBench, size: number, last: StreamEvent, take: () => Promise<unknown>) {
  const { clients, db, log } = bench
  const transactions = async () => {
    await sleep(1500)
    const [row] = await db.query<{ n: number }>(
      `select pg_stat_force_next_flush(), (xact_commit + xact_rollback)::float8 as n from pg_stat_database where datname = current_database()`,
    )
    return row!.n
  }
  const before = await transactions()
  const stormSeconds = await clients.reopen(upgrade(bench, `?epoch=${last.epoch}&since=${last.offset}`))
  const stormTransactions = ((await transactions()) - before) / size
  // All are followers again.
  const { arrivals } = await clients.expect(1)
  await take()
  await arrivals
  log(
    `${size} sockets: all back in ${stormSeconds.toFixed(1)} s, ${stormTransactions.toFixed(2)} database transactions each`,
  )
  return { stormSeconds, stormTransactions }
}

function upgrade({ server, world }: Pick<CrowdBench, 'server' | 'world'>, query = ''): string {
  const path = `/ws/tenants/${world.slug}/queues/${world.hotQueue}/${query}`
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: smartqueue.v1, bearer.${server.token}`,
    '\r\n',
  ].join('\r\n')
}

function extremes(moments: BigInt64Array): [bigint, bigint] {
  let [first, last] = [moments[0]!, moments[0]!]
  for (const moment of moments) {
    if (moment < first) first = moment
    if (moment > last) last = moment
  }
  return [first, last]
}

let collectGarbage: (() => void) | undefined
interface Memory {
  /** Bytes that are reachable. */
  heap: number
  /** Bytes the process occupies. */
  resident: number
}
function memory(): Memory {
  if (!collectGarbage) {
    setFlagsFromString('--expose-gc')
    collectGarbage = runInNewContext('gc') as () => void
  }
  collectGarbage()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}

/** The goals that hold for a number of sockets. */
export function judgeCrowd(result: CrowdResult): Verdict[] {
  const { sockets } = result
  const text = (what: string) => `${sockets} sockets on one queue: ${what}`
  const known = (measured: number) => (Number.isNaN(measured) ? null : measured)
  const verdicts: Verdict[] = [
    { text: text('KiB of ours a connection'), atMost: 15, measured: Math.max(result.heapKiB, result.residentKiB) },
    { text: text('seconds until all are back'), atMost: 15, measured: result.stormSeconds },
    { text: text('database transactions a reconnect'), atMost: 2, measured: result.stormTransactions },
    { text: text('a write per event, by the bare loop in JavaScript'), atLeast: 0.9, measured: result.eachByJs },
    { text: text('a write per event, by the bare loop in C'), atLeast: 0.9, measured: known(result.eachByC) },
    { text: text('coalesced, by the bare loop in C'), atLeast: 5, measured: known(result.togetherByC) },
    { text: text('coalesced, by the bare loop in JavaScript'), atLeast: 5, measured: result.togetherByJs },
  ]
  if (sockets === 2000) verdicts.unshift({ text: text('delivery p99, ms'), atMost: 40, measured: result.p99Ms })
  if (sockets === 10_000) verdicts.unshift({ text: text('delivery p99, ms'), atMost: 300, measured: result.p99Ms })
  return verdicts.filter(({ measured }) => measured !== null)
}
