import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Below the range from which the system takes ports for outgoing connections. */
const FIRST_PORT = 20_000
const PORTS = 12_000
const BLACKHOLE_MS = 80
const REFUSE_MS = 50

interface Pair {
  client: Socket
  server: Socket
  /** The next bytes from the server are cut in the middle, and the connection ends there. */
  isCut: boolean
  /** Half-open: both ends believe in it, and nothing passes any more. */
  isHollow: boolean
}
type FaultKind = 'resets' | 'cuts' | 'blackholes' | 'refusals'

/** A TCP proxy between clients and one server that does what bad networks do. */
export class FaultProxy {
  readonly port: number
  /** Connections that were harmed, by fault. */
  readonly harmed: Record<FaultKind, number> = { resets: 0, cuts: 0, blackholes: 0, refusals: 0 }
  #listener: Server
  #target: { host: string; port: number } | { path: string }
  #pairs = new Set<Pair>()
  #isBlackhole = false
  #isRefusing = false
  /** Milliseconds by which everything is late, in each direction. */
  delayMs = 0

  private constructor(listener: Server, port: number, target: number | string) {
    this.#listener = listener
    this.port = port
    this.#target = typeof target === 'string' ? { path: target } : { host: '127.0.0.1', port: target }
    listener.on('connection', (client: Socket) => this.#accept(client))
  }

  /** @param target a port of this machine, or the path of a Unix socket */
  static async open(target: number | string): Promise<FaultProxy> {
    const listener = createServer({ pauseOnConnect: true })
    return new FaultProxy(listener, await listenBelow(listener), target)
  }

  close(): void {
    this.#listener.close()
    for (const { client, server } of this.#pairs) for (const socket of [client, server]) socket.destroy()
  }

  #accept(client: Socket) {
    if (this.#isRefusing) {
      this.harmed.refusals++
      client.resetAndDestroy()
      return
    }
    const server = connect({ ...this.#target, noDelay: true })
    client.setNoDelay(true)
    const pair: Pair = { client, server, isCut: false, isHollow: false }
    this.#pairs.add(pair)
    const end = () => {
      if (pair.isHollow) return
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', end)
      from.on('close', end)
      from.on('data', (bytes: Buffer) => {
        if (pair.isHollow) return
        if (pair.isCut && from === server) return this.#cut(pair, bytes)
        if (this.delayMs > 0) {
          setTimeout(() => to.destroyed || to.write(bytes), this.delayMs)
          return
        }
        if (!to.write(bytes)) from.pause()
      })
      to.on('drain', () => this.#isBlackhole || from.resume())
    }
    if (!this.#isBlackhole) client.resume()
  }

  #cut(pair: Pair, bytes: Buffer) {
    this.harmed.cuts++
    this.#pairs.delete(pair)
    pair.server.resetAndDestroy()
    pair.client.end(bytes.subarray(0, bytes.length >> 1))
  }

  #someOf(random: () => number): Pair[] {
    return [...this.#pairs].filter(() => random() < 0.5)
  }

  /** Resets about half of the connections on both sides; what was under way is lost. */
  resetHalf(random: () => number): void {
    for (const { client, server } of this.#someOf(random)) {
      this.harmed.resets++
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  /** Ends about half of the connections in the middle of what the server says next. */
  cutHalf(random: () => number): void {
    for (const pair of this.#someOf(random)) pair.isCut = true
  }

  /**
   * All present connections become half-open, as when a firewall forgets them: what is said on them is swallowed and
   * nobody is told, even of an end. New ones work. Returns how many.
   */
  hollow(): number {
    for (const pair of this.#pairs) pair.isHollow = true
    return this.#pairs.size
  }

  /** How many are open at this moment. */
  get openCount(): number {
    return this.#pairs.size
  }

  /** For a while, usually 80 ms, nothing passes in either direction. */
  async blackhole(ms = BLACKHOLE_MS): Promise<void> {
    this.#isBlackhole = true
    const held = [...this.#pairs]
    this.harmed.blackholes += held.length
    for (const { client, server } of held) for (const socket of [client, server]) socket.pause()
    await sleep(ms)
    this.#isBlackhole = false
    for (const { client, server } of this.#pairs) for (const socket of [client, server]) socket.resume()
  }

  /** For 50 ms whoever connects is turned away. */
  async refuse(): Promise<void> {
    this.#isRefusing = true
    await sleep(REFUSE_MS)
    this.#isRefusing = false
  }
}

/** Listens on a free loopback port that no outgoing connection takes, also while it is closed for a moment. */
export async function listenBelow(listener: Server): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    try {
      listener.listen(port, '127.0.0.1')
      await once(listener, 'listening')
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

/** A port nobody listens on at the moment, for a server that is to be started again on the same one. */
export async function freePort(): Promise<number> {
  const listener = createServer()
  const port = await listenBelow(listener)
  listener.close()
  await once(listener, 'close')
  return port
}

const FAULTS: readonly ((proxy: FaultProxy, random: () => number) => unknown)[] = [
  (proxy, random) => proxy.resetHalf(random),
  (proxy, random) => proxy.cutHalf(random),
  (proxy) => proxy.blackhole(),
  async (proxy, random) => {
    proxy.resetHalf(random)
    await proxy.refuse()
  },
]

/** Faults on every proxy, one after the other with pauses of `pauseMs` on average, until `stop()`. */
export function storm(proxies: readonly FaultProxy[], random: () => number, pauseMs: number) {
  let isOver = false
  const raging = Promise.all(
    proxies.map(async (proxy) => {
      while (!isOver) {
        await FAULTS[Math.floor(random() * FAULTS.length)]!(proxy, random)
        await sleep(pauseMs * (0.5 + random()))
      }
    }),
  )
  return {
    async stop() {
      isOver = true
      await raging
    },
  }
}
