import { Redis, type RedisOptions } from 'ioredis'

/** Whoever asks waits no longer than this. */
const ANSWER_WITHIN_MS = 150
/** A connection that vanished without a word is noticed after the sum of both and replaced. */
const PING_EVERY_MS = 4_000
const PING_TIMEOUT_MS = 2_000
type Options = Omit<RedisOptions, 'replyMapping'>
const OPTIONS: Options = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  autoResubscribe: false,
  retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000),
}

/**
 * The Redis of a process: one connection for all that is asked, and one for each that listens, because a listening
 * connection can ask nothing. Redis may be away, emptied or replaced at any time: what is asked then is rejected at once
 * or within 150 ms, and connections come back by themselves. Keys say whose they are: `smartqueue:<use>:…`.
 */
export class RedisLink {
  /** For everything that is asked; what is asked in one turn leaves together. */
  readonly commands: Redis
  #url: string
  #connections = new Set<Redis>()
  #pings: NodeJS.Timeout

  constructor(url: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.#url = url
    this.commands = this.#connect({ enableAutoPipelining: true, commandTimeout: answerWithinMs })
    this.#pings = setInterval(() => this.#connections.forEach(reconnectWhenSilent), PING_EVERY_MS).unref()
  }

  /** A connection to listen with; it connects when it is told to. */
  listener(): Redis {
    return this.#connect({ lazyConnect: true })
  }

  /** Resolves when commands can be sent, or after `withinMs` without. */
  async ready(withinMs: number): Promise<boolean> {
    const { commands } = this
    if (commands.status === 'ready') return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const onReady = () => resolve(true)
    commands.once('ready', onReady)
    const timer = setTimeout(() => resolve(false), withinMs)
    return promise.finally(() => {
      clearTimeout(timer)
      commands.off('ready', onReady)
    })
  }

  close(): void {
    clearInterval(this.#pings)
    for (const redis of this.#connections) redis.disconnect()
  }

  #connect(options: Options): Redis {
    const redis = new Redis(this.#url, { ...OPTIONS, ...options })
    // Told to whoever asks next; without a listener it would end the process.
    redis.on('error', () => {})
    this.#connections.add(redis)
    redis.on('end', () => void this.#connections.delete(redis))
    return redis
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
