import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { monotonicMs } from '../clock.ts'

/** A second level that all processes share. Every method may reject: then this process does without. */
export interface SharedCache {
  /** The value and how many milliseconds it still holds. */
  get(key: string): Promise<{ value: string; leftMs: number } | undefined>
  set(key: string, value: string, lifeMs: number): Promise<void>
  /** Whether this caller is the one who reads the value anew. */
  claim(key: string, lifeMs: number): Promise<boolean>
}

const MAX_ENTRIES = 20_000
/** After this share of its life a value is read anew by one caller, while the others are still given it. */
const EARLY = 0.8
/** Whoever reads anew is given so long before another one does it too. */
const CLAIM_MS = 300
const ASK_AGAIN_MS = 15
/** A second level that failed is left alone for so long. */
const PAUSE_MS = 1000

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
  #pausedUntil = -Infinity
  #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES })
  #reading = new Map<string, Promise<unknown>>()

  #now: () => number

  constructor(shared?: SharedCache, now: () => number = monotonicMs) {
    this.#shared = shared
    this.#now = now
  }

  /**
   * @param key everything that the value depends on: what it is, tenant, kind of reader, language
   * @param lifeMs how old it may be when it is given out, whichever process read it
   * @param read plain data, which is the same after a journey as JSON
   */
  async get<T>(key: readonly (string | number)[], lifeMs: number, read: () => Promise<T>): Promise<T> {
    const id = JSON.stringify(key)
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

  #once<T>(id: string, work: () => Promise<T>): Promise<T> {
    let reading = this.#reading.get(id) as Promise<T> | undefined
    if (!reading) {
      reading = work().finally(() => this.#reading.delete(id))
      this.#reading.set(id, reading)
    }
    return reading
  }

  /** From the second level, or by the one who claims it; whoever waits for somebody slow reads for itself. */
  async #fetch<T>(id: string, lifeMs: number, read: () => Promise<T>): Promise<T> {
    const deadline = this.#now() + CLAIM_MS
    while (this.#now() < deadline) {
      const found = await this.#try((shared) => shared.get(id))
      if (found && found.leftMs > 0) return this.#keep(id, JSON.parse(found.value) as T, found.leftMs, lifeMs)
      if (!this.#usable() || (await this.#try((shared) => shared.claim(id, CLAIM_MS))) !== false) break
      await delay(ASK_AGAIN_MS)
    }
    return this.#read(id, lifeMs, read)
  }

  /** Where another process is renewing it already, this one asks again later. */
  async #renew<T>(id: string, lifeMs: number, read: () => Promise<T>): Promise<T | undefined> {
    const isMine = (await this.#try((shared) => shared.claim(id, CLAIM_MS))) !== false
    return isMine ? this.#read(id, lifeMs, read) : undefined
  }

  async #read<T>(id: string, lifeMs: number, read: () => Promise<T>): Promise<T> {
    // Its age counts from before the read.
    const asked = this.#now()
    const value = await read()
    const leftMs = lifeMs - (this.#now() - asked)
    if (leftMs > 1) await this.#try((shared) => shared.set(id, JSON.stringify(value), Math.floor(leftMs)))
    return this.#keep(id, value, lifeMs - (this.#now() - asked), lifeMs)
  }

  #keep<T>(id: string, value: T, leftMs: number, lifeMs: number): T {
    const freshUntil = this.#now() + leftMs
    this.#entries.set(id, { value, freshUntil, earlyFrom: freshUntil - lifeMs * (1 - EARLY), isRefreshing: false })
    return value
  }

  #usable(): boolean {
    return this.#shared !== undefined && this.#now() >= this.#pausedUntil
  }

  /** undefined where the second level is missing or failed. */
  async #try<T>(work: (shared: SharedCache) => Promise<T>): Promise<T | undefined> {
    if (!this.#usable()) return undefined
    try {
      return await work(this.#shared!)
    } catch {
      this.#pausedUntil = this.#now() + PAUSE_MS
      return undefined
    }
  }
}
