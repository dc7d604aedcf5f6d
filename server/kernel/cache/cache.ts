import { LRUCache } from 'lru-cache'
import { monotonicMs } from '../clock.ts'
import { keyText, type CacheKey } from './key.ts'
import type { SharedCache } from './shared.ts'
import { upTo } from '../up-to.ts'

const MAX_ENTRIES = 20_000
/** After this share of its life a value is read anew by one caller, while the others are still given it. */
const EARLY = 0.8

interface Entry {
  value: unknown
  freshUntil: number
  earlyFrom: number
  isRefreshing: boolean
}

/**
 * Values that may be a little old, for what many ask and few change. One caller of a process reads, and with a second
 * level one of all processes, on behalf of everybody who asks meanwhile; a value in use is renewed before it ends, so that
 * nobody waits for it. Without the second level, or while it is away, each process reads for itself.
 */
export class Cache {
  #shared: SharedCache | undefined
  #entries = new LRUCache<string, Entry>(upTo(MAX_ENTRIES))
  #reading = new Map<string, Promise<unknown>>()
  #now: () => number

  constructor(shared?: SharedCache, now: () => number = monotonicMs) {
    this.#shared = shared
    this.#now = now
  }

  /**
   * @param lifeMs how old it may be when it is given out, whichever process read it
   * @param read plain data, which is the same after a journey as JSON; undefined (there is none) is kept by this process
   *   alone
   */
  async get<T>(key: CacheKey, lifeMs: number, read: () => Promise<T>): Promise<T> {
    const id = keyText(key)
    const entry = this.#entries.get(id)
    const now = this.#now()
    if (entry && now < entry.freshUntil) {
      if (now >= entry.earlyFrom && !entry.isRefreshing) {
        entry.isRefreshing = true
        this.#once(id, () => this.#renew(id, lifeMs, read)).catch(() => {})
      }
      return entry.value as T
    }
    return this.#once(id, () => this.#fetch(id, lifeMs, read))
  }

  /** The value if it is at hand; undefined says nothing. */
  peek<T>(key: CacheKey): T | undefined {
    const entry = this.#entries.get(keyText(key))
    return entry && this.#now() < entry.freshUntil ? (entry.value as T) : undefined
  }

  #once<T>(id: string, work: () => Promise<T>): Promise<T> {
    let reading = this.#reading.get(id) as Promise<T> | undefined
    if (!reading) {
      reading = work().finally(() => this.#reading.delete(id))
      this.#reading.set(id, reading)
    }
    return reading
  }

  async #fetch<T>(id: string, lifeMs: number, read: () => Promise<T>): Promise<T> {
    const found = await this.#shared?.find(id, () => true)
    if (found) return this.#keep(id, JSON.parse(found.text) as T, Math.min(found.leftMs, lifeMs), lifeMs)
    return this.#read(id, lifeMs, read)
  }

  /** Where another process is renewing it already, this one asks again later. */
  async #renew<T>(id: string, lifeMs: number, read: () => Promise<T>): Promise<T | undefined> {
    const isMine = !this.#shared || (await this.#shared.claim(id))
    return isMine ? this.#read(id, lifeMs, read) : undefined
  }

  async #read<T>(id: string, lifeMs: number, read: () => Promise<T>): Promise<T> {
    // Its age counts from before the read.
    const asked = this.#now()
    const value = await read()
    if (value !== undefined) await this.#shared?.set(id, JSON.stringify(value), lifeMs - (this.#now() - asked))
    return this.#keep(id, value, lifeMs - (this.#now() - asked), lifeMs)
  }

  #keep<T>(id: string, value: T, leftMs: number, lifeMs: number): T {
    const freshUntil = this.#now() + leftMs
    this.#entries.set(id, { value, freshUntil, earlyFrom: freshUntil - lifeMs * (1 - EARLY), isRefreshing: false })
    return value
  }
}
