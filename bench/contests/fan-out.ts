import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { compile, gather, writeBare, type Audience } from '../fan-out/sink.ts'
import type { Verdict } from '../goals.ts'
import type { StreamEvent } from '../../server/kernel/events/index.ts'
import type { OpenFeed } from '../../server/kernel/feed.ts'
import { feeds } from '../../server/modules/index.ts'
import { Channel } from '../../server/transports/channel.ts'
import { Channels } from '../../server/transports/channels.ts'
import { deliver, textFrame, webSocketBytes } from '../../server/transports/fan-out.ts'
import { median } from '../measure/stats.ts'
import { startServer, type Server } from '../server.ts'

const FOLLOWERS = 1000
const EVENTS = 200

/**
 * One event to many followers of a queue: from the commit's events through tail, channel, projection and frame to the
 * sockets, against a C program that writes the same number of bytes to the same sockets. Once with a write per event, as
 * when events are rare, and once with events that come together and are written together.
 */
export async function fanOut(bench: Bench): Promise<Verdict[]> {
  const { cluster, world, effort, log } = bench
  const program = await compile(cluster.directory)
  if (!program) {
    console.error('no C compiler (cc), so no yardstick for the fan-out: it is left out')
    return []
  }
  const server = await startServer(cluster, world)
  const audience = await gather(program, FOLLOWERS)
  try {
    const stage = await Stage.build(server, world.hotQueue, audience)
    const eachRates: number[] = []
    const togetherRates: number[] = []
    const cpu: number[] = []
    for (let repetition = 0; repetition <= effort.repetitions; repetition++) {
      const bare = await timed(audience, EVENTS * stage.frameBytes, () =>
        writeBare(program, audience.sockets, stage.frameBytes, EVENTS),
      )
      const each = await timed(audience, stage.bytesOf(EVENTS), () => stage.sendEach(EVENTS))
      const together = await timed(audience, stage.bytesOf(EVENTS), () => stage.sendTogether(EVENTS))
      // The first round warms.
      if (repetition === 0) continue
      log(
        `fan-out to ${FOLLOWERS}, ${stage.frameBytes} bytes: bare loop ${rate(bare.seconds)}/s (${bare.result.toFixed(1)} µs each) · ` +
          `one by one ${rate(each.seconds)}/s (${each.result.toFixed(1)} µs) · coalesced ${rate(together.seconds)}/s`,
      )
      eachRates.push(bare.seconds / each.seconds)
      togetherRates.push(bare.seconds / together.seconds)
      cpu.push(bare.result / each.result)
    }
    return [
      {
        text: `fan-out to ${FOLLOWERS}, a write per event: messages a second by a bare C loop`,
        atLeast: 0.9,
        measured: median(eachRates),
      },
      {
        text: `fan-out to ${FOLLOWERS}, a write per event: CPU of a bare C loop by ours`,
        atLeast: 0.75,
        measured: median(cpu),
      },
      {
        text: `fan-out to ${FOLLOWERS}, events coalesced: messages a second by a bare C loop`,
        atLeast: 5,
        measured: median(togetherRates),
      },
    ]
  } finally {
    audience.close()
    await server.close()
  }
}

const rate = (seconds: number) => Math.round((EVENTS * FOLLOWERS) / seconds)

/** Time until the last byte arrived; `result` is the CPU time of the work per message. */
async function timed(audience: Audience, bytesEach: number, work: () => Promise<number>) {
  const arrived = audience.received(bytesEach * FOLLOWERS)
  const from = performance.now()
  const microseconds = await work()
  await arrived
  return { seconds: (performance.now() - from) / 1000, result: microseconds / (EVENTS * FOLLOWERS) }
}

/** A queue's feed twice: followed with a write per event, and through the product's own coalescing. */
class Stage {
  #server: Server
  #feed: OpenFeed
  #event: StreamEvent
  #each: Channel
  #together: Channel
  #audience: Audience

  private constructor(
    server: Server,
    feed: OpenFeed,
    event: StreamEvent,
    each: Channel,
    together: Channel,
    audience: Audience,
  ) {
    this.#server = server
    this.#feed = feed
    this.#event = event
    this.#each = each
    this.#together = together
    this.#audience = audience
  }

  static async build(server: Server, queueId: number, audience: Audience): Promise<Stage> {
    const { hub, db } = server.app
    const context = { db, hub, tenant: server.tenant, actor: server.actor, locale: 'fr' as const }
    const feed = await feeds.find(({ name }) => name === 'queue')!.open(context, { queue_id: String(queueId) })
    const event = await takenEvent(server, queueId, feed)
    const each = await Channel.open(hub, server.tenant.id, feed, (channel) => channel.flush())
    const together = await new Channels(hub).get(server.tenant.id, feed)
    return new Stage(server, feed, event, each, together, audience)
  }

  /** Bytes of the next `count` frames to one follower. */
  bytesOf(count: number): number {
    const { type, at, offset } = this.#event
    let bytes = 0
    for (let next = offset + 1; next <= offset + count; next++) {
      const frame = { type, offset: next, after: next - 1, at, ...this.#feed.project({ ...this.#event, offset: next }) }
      bytes += textFrame(JSON.stringify(frame)).length
    }
    return bytes
  }
  get frameBytes(): number {
    return this.bytesOf(1)
  }

  sendEach(count: number): Promise<number> {
    return this.#send(this.#each, count, 1)
  }
  sendTogether(count: number): Promise<number> {
    return this.#send(this.#together, count, 10)
  }

  /** Returns the CPU time of this process in microseconds. */
  async #send(channel: Channel, count: number, atOnce: number): Promise<number> {
    const { sockets } = this.#audience
    for (const stream of sockets)
      channel.followers.add({
        isOpen: true,
        send: (batch) => deliver(stream, batch.bytes(webSocketBytes)),
        drained: async () => true,
        end: () => {},
      })
    const before = process.cpuUsage()
    for (let sent = 0; sent < count; sent += atOnce) {
      const events = Array.from({ length: atOnce }, () => {
        this.#event = { ...this.#event, offset: this.#event.offset + 1 }
        return this.#event
      })
      this.#server.app.hub.committed(events)
      await turn()
      while (sockets.some(({ writableLength }) => writableLength > 0)) await turn()
    }
    // Until the last coalesced flush.
    await delay(10)
    const { user, system } = process.cpuUsage(before)
    channel.followers.clear()
    return user + system
  }
}

/** The event of a real take. */
async function takenEvent(server: Server, queueId: number, { site_id }: OpenFeed): Promise<StreamEvent> {
  const tail = await server.app.hub.tail(server.tenant.id, site_id)
  const { offset } = tail
  await server.execute(server.operation('tickets.take'), { queue_id: queueId, channel: 'kiosk', language: 'fr' })
  return tail.recent(offset)!.find((event) => event.queue_id === queueId)!
}
