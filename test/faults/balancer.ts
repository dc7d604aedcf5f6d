import { connect, createServer, type Server, type Socket } from 'node:net'
import { listenBelow } from './proxy.ts'

const LOOK_EVERY_MS = 150
const LOOK_TIMEOUT_MS = 1000

/**
 * A load balancer as they stand before several nodes: connections go in turn to those that call themselves ready, and to
 * the next one when a node does not take them. What a connection carries is nothing to it.
 */
export class Balancer {
  readonly port: number
  #listener: Server
  #ports: readonly number[]
  #ready: Set<number>
  #turn = 0
  #looks: NodeJS.Timeout
  #sockets = new Set<Socket>()

  private constructor(listener: Server, port: number, ports: readonly number[]) {
    this.#listener = listener
    this.port = port
    this.#ports = ports
    this.#ready = new Set(ports)
    listener.on('connection', (client: Socket) => this.#accept(client))
    this.#looks = setInterval(() => this.#ports.forEach((each) => void this.#look(each)), LOOK_EVERY_MS)
  }

  static async open(ports: readonly number[]): Promise<Balancer> {
    const listener = createServer({ pauseOnConnect: true, noDelay: true })
    return new Balancer(listener, await listenBelow(listener), ports)
  }

  /** From now on these nodes stand behind it; connections that are there go on. */
  use(ports: readonly number[]): void {
    this.#ports = ports
    for (const port of this.#ready) if (!ports.includes(port)) this.#ready.delete(port)
  }

  close(): void {
    clearInterval(this.#looks)
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #look(port: number) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(LOOK_TIMEOUT_MS),
      headers: { connection: 'close' },
    }).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) this.#ready.add(port)
    else this.#ready.delete(port)
  }

  #accept(client: Socket) {
    this.#keep(client)
    client.on('error', () => client.destroy())
    const fit = this.#ports.filter((port) => this.#ready.has(port))
    // None has said so in time: each may still answer, and nobody does when nobody is asked.
    const ready = fit.length > 0 ? fit : this.#ports
    const first = this.#turn++
    this.#reach(
      client,
      ready.map((_, i) => ready[(first + i) % ready.length]!),
    )
  }

  #reach(client: Socket, [port, ...others]: readonly number[]) {
    if (port === undefined) return client.destroy()
    const node = connect({ host: '127.0.0.1', port, noDelay: true })
    const another = () => {
      this.#ready.delete(port)
      this.#reach(client, others)
    }
    node.once('error', another)
    node.once('connect', () => {
      node.off('error', another)
      this.#keep(node)
      for (const [from, to] of [
        [client, node],
        [node, client],
      ] as const) {
        from.on('error', () => to.resetAndDestroy())
        from.on('close', () => to.destroySoon())
        from.pipe(to)
      }
    })
  }

  #keep(socket: Socket) {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
