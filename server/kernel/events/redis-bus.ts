import { Redis } from 'ioredis'
import { wakeups } from '../metrics.ts'
import type { Bus } from './bus.ts'

const CHANNEL = 'smartqueue:events'
/** Whoever tells something waits no longer than this before another way is tried. */
const TELL_TIMEOUT_MS = 150
/** A connection that vanished without a word is noticed after the sum of both and replaced. */
const PING_EVERY_MS = 4_000
const PING_TIMEOUT_MS = 2_000
/** Long enough that somebody who starts while Redis is there has it, short enough to start without it. */
const START_TIMEOUT_MS = 1_000

/** Pub/sub of Redis: its price does not grow with commits, and the database is left alone. It may be away at any time. */
export class RedisBus implements Bus {
  readonly name = 'redis'
  #teller: Redis
  #hearer: Redis
  #isListening = false
  #pings: NodeJS.Timeout | undefined

  constructor(url: string) {
    const options = {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      autoResubscribe: false,
      retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 1_000),
    }
    this.#teller = new Redis(url, { ...options, commandTimeout: TELL_TIMEOUT_MS })
    this.#hearer = new Redis(url, options)
    // Without a listener an error would end the process.
    for (const redis of [this.#teller, this.#hearer]) redis.on('error', () => {})
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
    for (const redis of [this.#teller, hearer]) redis.connect().catch(() => {})
    this.#pings = setInterval(() => [this.#teller, hearer].forEach(reconnectWhenSilent), PING_EVERY_MS).unref()
    const timer = setTimeout(first.resolve, START_TIMEOUT_MS)
    await first.promise.finally(() => clearTimeout(timer))
  }

  async tell(message: string): Promise<void> {
    await this.#teller.publish(CHANNEL, message)
  }

  async stop(): Promise<void> {
    clearInterval(this.#pings)
    this.#teller.disconnect()
    this.#hearer.disconnect()
  }
}

function reconnectWhenSilent(redis: Redis): void {
  if (redis.status !== 'ready') return
  const timer = setTimeout(() => redis.disconnect(true), PING_TIMEOUT_MS).unref()
  redis.ping().then(
    () => clearTimeout(timer),
    // A slow answer is no silence: the timer decides.
    () => {},
  )
}
