import { LRUCache } from 'lru-cache'
import { addressPrefix } from '../audit/origin.ts'
import type { Database } from '../db/types.ts'
import { AppError } from '../errors.ts'
import type { Operation, Request, Tenant } from '../operation.ts'
import { CHALLENGE_SECONDS, newChallenge, solvedChallenge } from './challenge.ts'
import { BEFORE_CHALLENGE, LIMITS, type By, type LimitClass, type LimitName, type Policy } from './policies.ts'
import { MemoryStore, type Count, type Left, type LimitStore } from './store.ts'
import { upTo } from '../up-to.ts'

export interface LimiterOptions {
  db: Database
  /** Shared by all processes; only this process's own counts when absent. */
  store?: LimitStore | undefined
  /** Multiplies every amount: benchmarks and replays come from one address with one login. */
  factor?: number
}

/** Quotas are looked up again after this. */
const QUOTA_MILLISECONDS = 60_000

/** Holds requests from outside against the limits of their class, before any work is done for them. */
export class Limiter {
  #own = new MemoryStore()
  #store: LimitStore
  #factor: number
  #quotas: LRUCache<number, Map<string, number>>

  constructor({ db, store, factor = 1 }: LimiterOptions) {
    this.#store = store ?? this.#own
    this.#factor = factor
    this.#quotas = new LRUCache({
      ...upTo(5000),
      ttl: QUOTA_MILLISECONDS,
      allowStale: true,
      fetchMethod: async (tenantId) => {
        const rows = await db
          .reader(tenantId)
          .query<{ quota: string; amount: number }>('select quota, amount from tenant_quotas')
        return new Map(rows.map(({ quota, amount }) => [quota, amount]))
      },
    })
  }

  /**
   * Counts the request; nothing is awaited where the counts are this process's own.
   * @throws AppError limit_exceeded `rate_limited`, or `limit_exceeded` when it is the organisation's quota;
   *   unavailable `overloaded` when the shared counts cannot be asked and guessing would be the danger
   */
  check(op: Operation, request: Request): Promise<void> | undefined {
    if (!request.origin) return undefined
    const name = limitOf(op, request)
    const limit: LimitClass = LIMITS[name]
    const policies: Policy[] = []
    const counts: Count[] = []
    for (const policy of limit.policies) {
      const who = whoIs(policy.by, request)
      if (who === null) continue
      const amount = this.#amountOf(name, policy, request)
      policies.push({ ...policy, amount })
      counts.push({ key: `${name}:${policy.by}:${who}`, amount, windowSeconds: policy.windowSeconds })
    }
    if (counts.length === 0) return undefined
    if (this.#store === this.#own) return void conclude(policies, this.#own.use(counts), request)
    return this.#shared(limit, policies, counts, request)
  }

  async #shared(limit: LimitClass, policies: Policy[], counts: Count[], request: Request): Promise<void> {
    conclude(policies, await this.#use(counts, limit.withoutStore), request)
  }

  async #use(counts: Count[], withoutStore: LimitClass['withoutStore']): Promise<Left[]> {
    try {
      return await this.#store.use(counts)
    } catch (cause) {
      if (withoutStore === 'refuse') throw new AppError('unavailable', 'overloaded', { retryAfterSeconds: 5, cause })
      return this.#own.use(counts)
    }
  }

  /**
   * Asks strangers for a proof of work where the organisation wants one: always, or when more came from their network
   * than a waiting room sends. A solution that was not asked for is not used up.
   * @throws AppError forbidden `challenge_required`, with a challenge
   */
  checkWork(op: Operation, request: Request): Promise<void> | undefined {
    const { actor, tenant, origin } = request
    if (!op.mayAskForWork || !origin || !tenant || tenant.take_challenge === 'never') return undefined
    if (actor.role !== 'anonymous' && actor.role !== 'visitor') return undefined
    return this.#work(request, tenant, addressPrefix(origin.address))
  }

  async #work({ solution }: Request, { id, take_challenge }: Tenant, network: string): Promise<void> {
    if (take_challenge === 'automatic') {
      const { amount, windowSeconds } = BEFORE_CHALLENGE
      const count = { key: `work:${id}:${network}`, amount: amount * this.#factor, windowSeconds }
      const [usual] = await this.#use([count], 'own_count')
      if (usual!.isAllowed) return
    }
    const solved = solution === undefined ? undefined : await solvedChallenge(id, solution)
    if (solved !== undefined) {
      const once = { key: `solved:${solved}`, amount: 1, windowSeconds: CHALLENGE_SECONDS }
      const [use] = await this.#use([once], 'own_count')
      if (use!.isAllowed) return
    }
    throw new AppError('forbidden', 'challenge_required', { members: { challenge: await newChallenge(id) } })
  }

  /** The organisation's own quota where it has one. Nobody waits for it: until it is read, the usual amount counts. */
  #amountOf(name: LimitName, { by, amount }: Policy, { tenant }: Request): number {
    if (by !== 'tenant' || !tenant) return amount * this.#factor
    const known = this.#quotas.get(tenant.id)
    if (known === undefined || this.#quotas.getRemainingTTL(tenant.id) <= 0)
      this.#quotas.fetch(tenant.id).catch(() => {})
    const quota = known?.get(`${name}_per_minute`)
    return Math.max(1, quota ?? amount * this.#factor)
  }

  /** An organisation's own quota, at most a minute old; undefined when it has none. */
  async quotaOf(tenantId: number, quota: string): Promise<number | undefined> {
    return (await this.#quotas.fetch(tenantId))?.get(quota)
  }
}

/** What an operation says, or what follows from who may run it: a door nobody thought about is guarded as one. */
export function limitOf(op: Operation, { actor }: Pick<Request, 'actor'>): LimitName {
  if (op.limit) return op.limit
  if (op.kind === 'mutation' && op.http.base === 'root' && op.roles.includes('anonymous')) return 'sign_in'
  if (op.kind === 'mutation' && actor.role === 'anonymous') return 'public'
  return op.pool === 'calls' ? 'calling' : 'requests'
}

/** Strangers are nobody in particular: they are told apart by device and address alone. */
function whoIs(by: By, { actor, tenant, origin, input }: Request): string | null {
  if (by === 'address') return addressPrefix(origin!.address)
  if (by === 'tenant') return tenant ? String(tenant.id) : null
  if (by === 'actor') return actor.role === 'anonymous' ? null : `${actor.tenantId ?? 0}:${actor.principal}`
  const { device_id: device } = (input ?? {}) as { device_id?: unknown }
  return typeof device === 'string' && tenant ? `${tenant.id}:${device.slice(0, 200)}` : null
}

function conclude(policies: readonly Policy[], lefts: readonly Left[], request: Request): void {
  request.limited?.(policies.map((policy, i) => ({ ...policy, ...lefts[i]! })))
  let refused = -1
  for (const [i, { isAllowed, retrySeconds }] of lefts.entries())
    if (!isAllowed && (refused < 0 || retrySeconds > lefts[refused]!.retrySeconds)) refused = i
  if (refused < 0) return
  throw new AppError('limit_exceeded', policies[refused]!.by === 'tenant' ? 'limit_exceeded' : 'rate_limited', {
    retryAfterSeconds: lefts[refused]!.retrySeconds,
  })
}
