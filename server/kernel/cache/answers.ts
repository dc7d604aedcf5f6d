import { LRUCache } from 'lru-cache'
import { monotonicMs } from '../clock.ts'
import { etagOf } from '../etag.ts'
import type { Hub } from '../events/index.ts'
import type { StreamHead } from '../events/log.ts'
import type { Context, Operation, Outcome, Place, Request } from '../operation.ts'
import { Changes } from './changes.ts'
import type { Kept } from './kept.ts'
import { keyText, shapeOf } from './key.ts'
import type { SharedCache } from './shared.ts'
import { upTo } from '../up-to.ts'

/** Bytes of all kept answers together, each counted as body, text and object. */
const MAX_BYTES = 128 << 20
const MAX_PLACES = 100_000
/** Bounds what changes without an event: somebody's own SQL. Operations whose answers tell the time say less. */
const MAX_AGE_MS = 30_000

type KeptOutcome = Outcome & { kept: Kept }
interface Reading {
  isCurrent(): boolean
  answer: Promise<Outcome>
}

/**
 * Answers of queries whose every change a site's stream tells, kept as they were sent until it does. A crowd that looks
 * at one queue costs one read a change. What this process has not heard of it cannot know: where its tail is not known
 * to be in step with the database, nothing is answered from here. Where processes share a second level, one of them reads
 * what the others then judge by their own streams: an answer of another process is no older than one of this.
 */
export class Answers {
  #hub: Hub
  #shared: SharedCache | undefined
  #kept = new LRUCache<string, KeptOutcome>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ kept }) => 4 * kept.body.length + 500,
  })
  /** Where the subject of an answer was found when it was last read. */
  #places = new LRUCache<string, Place>(upTo(MAX_PLACES))
  #reading = new Map<string, Reading>()
  #changes = new WeakMap<object, Changes>()

  constructor(hub: Hub, shared?: SharedCache) {
    this.#hub = hub
    this.#shared = shared
  }

  /** Forgets everything. */
  clear(): void {
    this.#kept.clear()
  }

  /** The answer under a key if it still holds. */
  current(key: string): KeptOutcome | undefined {
    const outcome = this.#kept.get(key)
    return outcome?.kept.isCurrent() ? outcome : undefined
  }

  /**
   * The answer from memory or by `read`, which callers at once share. Access and input have been checked before, for
   * each caller.
   */
  async get(op: Operation, request: Request, ctx: Context, read: () => Promise<Outcome>): Promise<Outcome> {
    const key = keyOf(op, request)
    const kept = this.current(key)
    if (kept) return kept
    const reading = this.#reading.get(key)
    if (reading?.isCurrent()) return reading.answer
    const place = this.#places.get(key) ?? (await op.kept!.place?.(ctx, request.input))
    const watch = place && (await this.#watch(ctx.tenant.id, place))
    if (!place || !watch) return this.#unkept(op, key, read)
    const meanwhile = this.#reading.get(key)
    if (meanwhile?.isCurrent()) return meanwhile.answer
    const reads = () => this.#read(op, key, place, watch, read)
    const shared = op.kept!.isShared ? this.#shared : undefined
    const answer = shared ? this.#fromOthers(shared, op, key, watch, reads) : reads()
    const own = { isCurrent: watch(watch.now(), MAX_AGE_MS), answer }
    this.#reading.set(key, own)
    return answer.finally(() => {
      if (this.#reading.get(key) === own) this.#reading.delete(key)
    })
  }

  /** What another process has read if nothing has happened since, else what this one reads on behalf of all. */
  async #fromOthers(
    shared: SharedCache,
    op: Operation,
    key: string,
    watch: Watch,
    read: () => Promise<Outcome>,
  ): Promise<Outcome> {
    let isCurrent: Currency | undefined
    const found = await shared.find(key, ({ text, leftMs }) => {
      isCurrent = watch(positionsOf(text), leftMs)
      return isCurrent()
    })
    if (!found || !isCurrent) return read()
    const body = found.text.slice(found.text.indexOf('\n') + 1)
    let output: unknown
    return this.#keep(key, isCurrent, {
      body,
      status: op.http.status ?? 200,
      replayed: false,
      get output() {
        return (output ??= JSON.parse(body))
      },
    })
  }

  async #read(op: Operation, key: string, place: Place, watch: Watch, read: () => Promise<Outcome>): Promise<Outcome> {
    const { maxAgeMs = MAX_AGE_MS } = op.kept!
    const isCurrent = watch(watch.now(), maxAgeMs)
    const asked = monotonicMs()
    const outcome = await read()
    const found = op.kept!.placeOf?.(outcome.output) ?? place
    this.#places.set(key, found)
    if (found.siteId !== place.siteId || found.queueId !== place.queueId || !isCurrent()) return outcome
    if (op.kept!.isShared) {
      const text = `${JSON.stringify(isCurrent.positions)}\n${outcome.body}`
      void this.#shared?.set(key, text, maxAgeMs - (monotonicMs() - asked))
    }
    return this.#keep(key, isCurrent, outcome)
  }

  async #unkept(op: Operation, key: string, read: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = await read()
    const found = op.kept!.placeOf?.(outcome.output)
    if (found) this.#places.set(key, found)
    return outcome
  }

  #keep(key: string, isCurrent: Currency, outcome: Outcome): KeptOutcome {
    const { body } = outcome
    const { position } = isCurrent
    const kept = { key, body: Buffer.from(body), etag: etagOf(body), position, isCurrent }
    const keeping = Object.assign(outcome, { kept })
    this.#kept.set(key, keeping)
    return keeping
  }

  /**
   * Judges by a place: has anything happened there since some positions? undefined where this process does not hear what
   * happens there.
   */
  async #watch(tenantId: number, { siteId, queueId }: Place): Promise<Watch | undefined> {
    const [site, tenant] = await Promise.all([this.#changesOf(tenantId, siteId), this.#changesOf(tenantId, 0)])
    if (!site || !tenant) return undefined
    const watch = (at: Positions, lifeMs: number): Currency => {
      const until = monotonicMs() + lifeMs
      const isCurrent = () =>
        site.last(queueId) <= at.site.offset &&
        tenant.last() <= at.tenant.offset &&
        site.tail.epoch === at.site.epoch &&
        tenant.tail.epoch === at.tenant.epoch &&
        monotonicMs() < until &&
        this.#hub.isInStep(site.tail) &&
        this.#hub.isInStep(tenant.tail)
      return Object.assign(isCurrent, { positions: at, position: `${at.site.epoch}:${at.site.offset}` })
    }
    const now = (): Positions => ({
      site: { epoch: site.tail.epoch, offset: site.tail.offset },
      tenant: { epoch: tenant.tail.epoch, offset: tenant.tail.offset },
    })
    const watching = Object.assign(watch, { now })
    return watching(now(), MAX_AGE_MS)() ? watching : undefined
  }

  async #changesOf(tenantId: number, siteId: number): Promise<Changes | undefined> {
    const tail = await this.#hub.tail(tenantId, siteId).catch(() => undefined)
    if (!tail) return undefined
    let changes = this.#changes.get(tail)
    if (!changes) this.#changes.set(tail, (changes = new Changes(tail)))
    return changes
  }
}
/** How far the streams were heard when an answer was begun. */
interface Positions {
  site: StreamHead
  tenant: StreamHead
}
/** Whether an answer still holds, and where it stands. */
type Currency = (() => boolean) & { positions: Positions; position: string }
type Watch = ((at: Positions, lifeMs: number) => Currency) & { now(): Positions }

/** The first line of what is shared; only processes like this one write it. */
const positionsOf = (text: string): Positions => JSON.parse(text.slice(0, text.indexOf('\n'))) as Positions

/** Who may see different things never shares an answer: tenant, role, limits and language are part of the key. */
function keyOf(op: Operation, { tenant, actor, locale, input }: Request): string {
  const { role, siteIds, queueIds, ticketId } = actor
  const reader = JSON.stringify([role, siteIds, queueIds, ticketId])
  const of = JSON.stringify([op.id, input])
  return keyText({ what: 'answer', version: shapeOf(op), tenant: tenant!.id, reader, language: locale, of })
}
