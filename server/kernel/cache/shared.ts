import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs, now } from '../clock.ts'
import { sharedLookups } from '../metrics.ts'
import type { RedisLink } from '../redis.ts'

const PREFIX = 'smartqueue:cache:'
/** Whoever reads on behalf of all has so long before another one reads too. */
const CLAIM_MS = 300
/** Those who wait look again after these, the last of them until the claim is over. */
const ASK_AGAIN_MS = [2, 4, 8, 15] as const
/** A second level that failed is left alone for so long. */
const PAUSE_MS = 1000
/** Larger values are read by each process for itself. */
const MAX_LENGTH = 300_000
/** By how much the clocks of two machines may differ before they share nothing. */
const SKEW_MS = 2000
const MAC_BYTES = 16

/** A value and for how many milliseconds it still holds. */
export interface SharedValue {
  text: string
  leftMs: number
}

/**
 * The second level of caches, which all processes share. It is optional and may be lost: whatever fails is as if nothing
 * were there. It is not believed either: values carry a code that only processes with SECRET_KEY can make, over key,
 * value and end, so that whoever writes to Redis puts no words into our mouth and keeps no ended session alive.
 */
export class SharedCache {
  #link: RedisLink
  #key: Buffer
  #claimMs: number
  #pausedUntil = -Infinity

  constructor(link: RedisLink, secretKey: string, claimMs = CLAIM_MS) {
    this.#link = link
    this.#claimMs = claimMs
    this.#key = Buffer.from(hkdfSync('sha256', secretKey, '', 'shared cache', 32))
  }

  get isUsable(): boolean {
    return monotonicMs() >= this.#pausedUntil
  }

  /**
   * The value under a key if `isGood` takes it; else undefined when it is this caller's turn to read it, and everybody
   * else waits for that one, for 300 ms at the most unless told otherwise.
   */
  async find(key: string, isGood: (found: SharedValue) => boolean): Promise<SharedValue | undefined> {
    const deadline = monotonicMs() + this.#claimMs
    for (let turn = 0; monotonicMs() < deadline; turn++) {
      const found = await this.#get(key)
      if (found && isGood(found)) {
        sharedLookups.inc({ what: whatOf(key), outcome: 'found' })
        return found
      }
      if (await this.claim(key)) break
      await delay(ASK_AGAIN_MS[Math.min(turn, ASK_AGAIN_MS.length - 1)])
    }
    sharedLookups.inc({ what: whatOf(key), outcome: this.isUsable ? 'missed' : 'away' })
    return undefined
  }

  /** Whether this caller is the one who reads the value anew; true as well while nobody can tell. */
  async claim(key: string): Promise<boolean> {
    const { commands } = this.#link
    return (await this.#try(() => commands.set(`${PREFIX}${key}:claim`, '1', 'PX', this.#claimMs, 'NX'))) !== null
  }

  /** Keeps a value for the others, and ends the claim. */
  async set(key: string, text: string, lifeMs: number): Promise<void> {
    const left = Math.floor(lifeMs)
    if (left < 1 || text.length > MAX_LENGTH) return
    const end = String(Math.ceil(now() + lifeMs))
    const sealed = `${end}.${this.#codeOf(key, end, text).toString('base64url')}.${text}`
    const { commands } = this.#link
    await this.#try(() =>
      Promise.all([commands.set(PREFIX + key, sealed, 'PX', left), commands.del(`${PREFIX}${key}:claim`)]),
    )
  }

  async #get(key: string): Promise<SharedValue | undefined> {
    const { commands } = this.#link
    const found = await this.#try(() => Promise.all([commands.get(PREFIX + key), commands.pttl(PREFIX + key)]))
    if (!found || found[0] === null || found[1] <= 0) return undefined
    const text = this.#opened(key, found[0])
    return text === undefined ? undefined : { text, leftMs: found[1] }
  }

  #opened(key: string, sealed: string): string | undefined {
    const [, end, code] = /^(\d{13})\.([\w-]{22})\./.exec(sealed) ?? []
    if (end === undefined || code === undefined || now() > Number(end) + SKEW_MS) return undefined
    const text = sealed.slice(end.length + code.length + 2)
    return timingSafeEqual(Buffer.from(code, 'base64url'), this.#codeOf(key, end, text)) ? text : undefined
  }

  #codeOf(key: string, end: string, text: string): Buffer {
    return createHmac('sha256', this.#key).update(`${key}\n${end}\n${text}`).digest().subarray(0, MAC_BYTES)
  }

  /** undefined where it failed, or failed a moment ago. */
  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (!this.isUsable) return undefined
    try {
      return await work()
    } catch {
      this.#pausedUntil = monotonicMs() + PAUSE_MS
      return undefined
    }
  }
}

const whatOf = (key: string): string => key.slice(0, key.indexOf('@'))
