import { LRUCache } from 'lru-cache'
import { monotonicMs } from '../clock.ts'
import { etagOf } from '../etag.ts'
import type { Hub } from '../events/index.ts'
import type { Context, Operation, Outcome, Place, Request } from '../operation.ts'
import { Changes } from './changes.ts'
import type { Kept } from './kept.ts'

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
 * to be in step with the database, nothing is answered from here.
 */
export class Answers {
  #hub: Hub
  #kept = new LRUCache<string, KeptOutcome>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ kept }) => 4 * kept.body.length + 500,
  })
  /** Where the subject of an answer was found when it was last read. */
  #places = new LRUCache<string, Place>({ max: MAX_PLACES })
  #reading = new Map<string, Reading>()
  #changes = new WeakMap<object, Changes>()

  constructor(hub: Hub) {
    this.#hub = hub
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
    const isCurrent = place && (await this.#watch(ctx.tenant.id, place, op.kept!.maxAgeMs ?? MAX_AGE_MS))
    if (!place || !isCurrent) return this.#unkept(op, key, read)
    const meanwhile = this.#reading.get(key)
    if (meanwhile?.isCurrent()) return meanwhile.answer
    const answer = read().then((outcome) => {
      const found = op.kept!.placeOf?.(outcome.output) ?? place
      this.#places.set(key, found)
      const isSame = found.siteId === place.siteId && found.queueId === place.queueId
      return isSame && isCurrent() ? this.#keep(key, outcome, isCurrent) : outcome
    })
    const own = { isCurrent, answer }
    this.#reading.set(key, own)
    return answer.finally(() => {
      if (this.#reading.get(key) === own) this.#reading.delete(key)
    })
  }

  async #unkept(op: Operation, key: string, read: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = await read()
    const found = op.kept!.placeOf?.(outcome.output)
    if (found) this.#places.set(key, found)
    return outcome
  }

  #keep(key: string, { output, body, status, replayed }: Outcome, isCurrent: Watch): Outcome {
    const kept = { key, body: Buffer.from(body), etag: etagOf(body), position: isCurrent.position, isCurrent }
    const outcome = { output, body, status, replayed, kept }
    this.#kept.set(key, outcome)
    return outcome
  }

  /** From now on: has anything happened at the place? undefined where this process does not hear what happens there. */
  async #watch(tenantId: number, { siteId, queueId }: Place, maxAgeMs: number): Promise<Watch | undefined> {
    const [site, tenant] = await Promise.all([this.#changesOf(tenantId, siteId), this.#changesOf(tenantId, 0)])
    if (!site || !tenant) return undefined
    const since = monotonicMs()
    const [{ epoch, offset }, { epoch: tenantEpoch, offset: tenantOffset }] = [site.tail, tenant.tail]
    const isCurrent = () =>
      site.last(queueId) <= offset &&
      tenant.last() <= tenantOffset &&
      site.tail.epoch === epoch &&
      tenant.tail.epoch === tenantEpoch &&
      monotonicMs() - since < maxAgeMs &&
      this.#hub.isInStep(site.tail) &&
      this.#hub.isInStep(tenant.tail)
    return isCurrent() ? Object.assign(isCurrent, { position: `${epoch}:${offset}` }) : undefined
  }

  async #changesOf(tenantId: number, siteId: number): Promise<Changes | undefined> {
    const tail = await this.#hub.tail(tenantId, siteId).catch(() => undefined)
    if (!tail) return undefined
    let changes = this.#changes.get(tail)
    if (!changes) this.#changes.set(tail, (changes = new Changes(tail)))
    return changes
  }
}
type Watch = (() => boolean) & { position: string }

/** Who may see different things never shares an answer: tenant, role, limits and language are part of the key. */
function keyOf(op: Operation, { tenant, actor, locale, input }: Request): string {
  const { role, siteIds, queueIds, ticketId } = actor
  return JSON.stringify([tenant!.id, op.id, role, siteIds, queueIds, ticketId, locale, input])
}
