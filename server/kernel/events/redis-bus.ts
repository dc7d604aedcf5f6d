import type { Redis } from 'ioredis'
import { wakeups } from '../metrics.ts'
import type { RedisLink } from '../redis.ts'
import type { Bus } from './bus.ts'

const CHANNEL = 'smartqueue:events'
/** Long enough that somebody who starts while Redis is there has it, short enough to start without it. */
const START_TIMEOUT_MS = 1_000

/** Pub/sub of Redis: its price does not grow with commits, and the database is left alone. It may be away at any time. */
export class RedisBus implements Bus {
  readonly name = 'redis'
  #link: RedisLink
  #hearer: Redis
  #isListening = false

  constructor(link: RedisLink) {
    this.#link = link
    this.#hearer = link.listener()
  }

  get isDeaf(): boolean {
    return !this.#isListening
  }

  async start(hear: (message: string) => void, missed: () => void): Promise<void> {
    const hearer = this.#hearer
    const first = Promise.withResolvers<void>()
    hearer.on('message', (_channel, message: string) => {
      wakeups.inc({ bus: this.name })
      hear(message)
    })
    hearer.on('close', () => (this.#isListening = false))
    hearer.on('ready', () => {
      hearer.subscribe(CHANNEL).then(
        () => {
          this.#isListening = true
          first.resolve()
          missed()
        },
        () => hearer.disconnect(true),
      )
    })
    hearer.connect().catch(() => {})
    const timer = setTimeout(first.resolve, START_TIMEOUT_MS)
    await Promise.all([first.promise.finally(() => clearTimeout(timer)), this.#link.ready(START_TIMEOUT_MS)])
  }

  async tell(message: string): Promise<void> {
    await this.#link.commands.publish(CHANNEL, message)
  }

  async stop(): Promise<void> {
    this.#hearer.disconnect()
  }
}
