import { appendAudit, auditEntry, PLATFORM_LOG, statusChanges, type AuditEntry, type Change } from './audit/index.ts'
import { checkProof } from './access.ts'
import { Answers } from './cache/answers.ts'
import type { SharedCache } from './cache/shared.ts'
import { databaseError } from './db/index.ts'
import type { Database, Statement, Tx, WriteTx } from './db/types.ts'
import { AppError, notFound } from './errors.ts'
import { appendStatement, placeEvents, type Emitted } from './events/log.ts'
import type { EventInput, Hub } from './events/index.ts'
import type { Guard } from './guard.ts'
import {
  claimKeys,
  fingerprint,
  keepsAnswer,
  rememberRefusal,
  storeAnswers,
  type KeyClaim,
  type StoredAnswer,
} from './idempotency.ts'
import { enqueueJob } from './jobs/enqueue.ts'
import { Lanes } from './lanes.ts'
import type { Limiter } from './limits/index.ts'
import type { Context, Operation, Outcome, Request, Tenant } from './operation.ts'
import { closedBy } from './switches.ts'
import { tracing } from './tracing/index.ts'
import { checkInput, stringifyOutput } from './validate.ts'

export interface RuntimeOptions {
  db: Database
  hub: Hub
  /** Absolute URL of a path of this installation. */
  url(path: string): string
  /** Refuses what comes too often, before any work is done for it. */
  limiter?: Limiter
  /** Where processes share kept answers. */
  shared?: SharedCache | undefined
  /** Keeps limited actors to their sites and queues. */
  guard?: Guard
  /** Problem document of a refusal exactly as its caller receives it, stored under the Idempotency-Key. */
  renderError(error: AppError, request: Request): string
}

/** The one path every capability takes: access → validation → transaction → key → run → events → commit. */
export class Runtime {
  readonly db: Database
  readonly hub: Hub
  readonly answers: Answers
  #options: RuntimeOptions
  #lanes = new Lanes((op, tenant, requests) => this.#batch(op, tenant, requests))

  constructor(options: RuntimeOptions) {
    this.db = options.db
    this.hub = options.hub
    this.answers = new Answers(options.hub, options.shared)
    this.#options = options
  }

  /** Absolute public URL of a path of this installation. */
  url(path: string): string {
    return this.#options.url(path)
  }

  async execute(op: Operation, wanted: Request): Promise<Outcome> {
    const counting = this.#options.limiter?.check(op, wanted)
    if (counting) await counting
    authorize(op, wanted)
    checkKey(wanted)
    checkInput(op, wanted.input)
    const working = this.#options.limiter?.checkWork(op, wanted)
    if (working) await working
    const request = this.#options.guard?.place(op, wanted) ?? wanted
    if (!request.tenant || op.kind === 'query') return this.#plain(op, request)
    if (op.runMany) return this.#lanes.submit(op, request.tenant, request)
    const [outcome] = await this.#alone(op, request.tenant, request)
    return unwrap(outcome!)
  }

  /**
   * Whether a caller who was answered before may be given the same answer again: the limits count each time, and access
   * is checked each time. Only for who is not limited to some places, which takes a statement.
   * @throws as `execute`
   */
  admit(op: Operation, request: Request): Promise<void> | undefined {
    const counting = this.#options.limiter?.check(op, request)
    if (!counting) authorize(op, request)
    return counting?.then(() => authorize(op, request))
  }

  /**
   * Rows of a read by id, for whoever may read each of them: by id, those that are not there or not for this caller left
   * out. The number of statements does not grow with the number of ids.
   */
  async readMany(
    op: Operation,
    wanted: Omit<Request, 'input'>,
    ids: readonly number[],
  ): Promise<Map<number, Record<string, unknown>>> {
    const asked = ids.map((id): Request => ({ ...wanted, input: { id } }))
    const [first] = asked
    if (!first) return new Map()
    return this.readFor(op, wanted, async (tx) => {
      const refusals = await this.#options.guard?.refusals(tx, op, asked)
      const seen = refusals ? ids.filter((_, i) => !refusals[i]) : ids
      if (seen.length === 0) return new Map()
      const rows = (await op.readMany!(this.#context(tx, first, { emitted: [] }), seen)) as Record<string, unknown>[]
      return new Map(rows.map((row) => [row['id'] as number, row]))
    })
  }

  /** Further reads of a request for whoever may run `op`, in the request's tenant. @throws AppError */
  async readFor<T>(op: Operation, wanted: Omit<Request, 'input'>, run: (tx: Tx) => Promise<T>): Promise<T> {
    authorize(op, { ...wanted, input: {} })
    try {
      return await run(this.db.reader(wanted.tenant!.id, op.pool ?? 'requests'))
    } catch (error) {
      throw meaning(op, error)
    }
  }

  /** Reads, and whatever happens outside tenants. */
  async #plain(op: Operation, request: Request): Promise<Outcome> {
    const claim = op.kind === 'mutation' && keepsAnswer(op) ? claimOf(op, request) : null
    let committed: ReturnType<typeof placeEvents> = []
    const run = async (tx: Tx) => {
      if (claim) {
        const [state] = await claimKeys(tx, [claim], 'platform_idempotency_keys')
        if (state!.state === 'refused') throw new KeyRefused(state!.error)
        if (state!.state === 'replay') return replay(state!.answer)
      }
      const [refusal] = (await this.#options.guard?.refusals(tx, op, [request])) ?? []
      if (refusal) throw refusal
      const done: Done = { emitted: [] }
      const ctx = this.#context(tx, request, done)
      const read = async () => finished(op, await op.run(ctx, request.input))
      if (op.kept && request.tenant && !request.isFresh) return this.answers.get(op, request, ctx, read)
      const outcome = await read()
      if (claim) {
        const answer = { ...claim, status: outcome.status, body: outcome.body }
        await send(tx, storeAnswers([answer], 'platform_idempotency_keys'))
      }
      committed = await appendOutside(tx, op, outcome.output, done)
      if (op.kind === 'mutation') await auditOutside(tx, op, request, outcome.output, done.change)
      return outcome
    }
    try {
      if (request.tenant) return await run(this.db.reader(request.tenant.id, op.pool ?? 'requests'))
      const outcome = await (op.transaction === false ? run(eachAlone(this.db)) : this.db.platform(run))
      for (const events of committed) this.hub.committed(events)
      return outcome
    } catch (error) {
      if (error instanceof KeyRefused) throw error.cause
      const refusal = meaning(op, error)
      if (claim && refusal.status < 500) {
        const answer = { status: refusal.status, body: this.#options.renderError(refusal, request) }
        await this.db.platform((tx) => rememberRefusal(tx, claim, answer, 'platform_idempotency_keys'))
      }
      throw refusal
    }
  }

  /** A mutation by itself, or a batch member whose batch failed. */
  async #alone(op: Operation, tenant: Tenant, request: Request): Promise<(Outcome | Error)[]> {
    const claim = claimOf(op, request)
    try {
      return await this.#transaction(op, tenant, [request], async (ctx) => [await op.run(ctx, request.input)])
    } catch (error) {
      const refusal = meaning(op, error)
      if (claim && refusal.status < 500) {
        const answer = { status: refusal.status, body: this.#options.renderError(refusal, request) }
        await this.db.tenant(tenant.id, (tx) => rememberRefusal(tx, claim, answer))
      }
      throw refusal
    }
  }

  async #batch(op: Operation, tenant: Tenant, requests: Request[]): Promise<(Outcome | Error)[]> {
    try {
      return await this.#transaction(op, tenant, requests, (ctx, calls) => op.runMany!(ctx, calls))
    } catch (error) {
      if (requests.length === 1 || !wasUndone(error)) return requests.map(() => meaning(op, error))
      // One member spoiled the transaction (a constraint, a deadlock): each runs alone, so only the guilty one fails.
      const outcomes: (Outcome | Error)[] = []
      for (const request of requests) outcomes.push(...(await this.#batch(op, tenant, [request])))
      return outcomes
    }
  }

  async #transaction(
    op: Operation,
    tenant: Tenant,
    requests: readonly Request[],
    run: (ctx: Context, calls: readonly Request[]) => Promise<unknown[]>,
  ): Promise<(Outcome | Error)[]> {
    const committed: ReturnType<typeof placeEvents> = []
    const outcomes = await this.db.tenant(
      tenant.id,
      async (tx) => {
        committed.length = 0
        const done: Done = { emitted: [] }
        const results: (Outcome | Error)[] = Array.from({ length: requests.length })
        const fresh = await claimFresh(tx, op, requests, results)
        const allowed = await this.#allowed(tx, op, requests, fresh, results)
        if (allowed.length) {
          const calls = allowed.map((i) => requests[i]!)
          const outputs = await run(
            this.#context(tx, calls.length === 1 ? calls[0]! : { ...calls[0]!, requestId: undefined }, done),
            calls,
          )
          allowed.forEach((i, n) => (results[i] = this.#settle(op, outputs[n])))
        }
        const answers = fresh.flatMap((i) => this.#answerToStore(op, requests[i]!, results[i]!))
        const append = appendStatement(done.emitted)
        const audited = auditEntries(op, requests, fresh, results, done)
        const rows = await tx.finish([
          ...(answers.length ? [storeAnswers(answers)] : []),
          ...(append ? [append] : []),
          ...(audited.length ? [appendAudit(tenant.id, audited)] : []),
        ])
        if (append) committed.push(...placeEvents(tenant.id, append, rows[answers.length ? 1 : 0]!))
        return results
      },
      op.pool ?? 'requests',
    )
    for (const events of committed) this.hub.committed(events)
    return outcomes
  }

  /** Refuses those that name a place outside their limits; the rest go on. */
  async #allowed(
    tx: Tx,
    op: Operation,
    requests: readonly Request[],
    fresh: number[],
    results: (Outcome | Error)[],
  ): Promise<number[]> {
    const asked = fresh.map((i) => requests[i]!)
    const refusals = await this.#options.guard?.refusals(tx, op, asked)
    if (!refusals) return fresh
    return fresh.filter((i, n) => {
      if (refusals[n]) results[i] = refusals[n]
      return !refusals[n]
    })
  }

  #settle(op: Operation, output: unknown): Outcome | Error {
    if (output instanceof Error) return meaning(op, output)
    const outcome = finished(op, output)
    // Written before the commit: what cannot be told must not have happened.
    void outcome.body
    return outcome
  }

  #answerToStore(op: Operation, request: Request, result: Outcome | Error): (KeyClaim & StoredAnswer)[] {
    const claim = claimOf(op, request)
    if (!claim) return []
    if (!(result instanceof Error)) return [{ ...claim, status: result.status, body: result.body }]
    const refusal = meaning(op, result)
    return [{ ...claim, status: refusal.status, body: this.#options.renderError(refusal, request) }]
  }

  #context(tx: Context['tx'], request: Request, done: Done): Context {
    const { actor } = request
    return {
      tx,
      actor,
      tenant: request.tenant!,
      origin: request.origin,
      locale: request.locale,
      hub: this.hub,
      ifMatch: request.ifMatch ?? null,
      url: this.#options.url,
      emit: (event: EventInput) => void done.emitted.push({ ...event, actor: event.actor ?? actor.principal }),
      record: (change: Change) => void (done.change = change),
      enqueue: (task, payload, options) =>
        enqueueJob(tx, request.tenant?.id ?? null, task, { ...payload, ...causeOf(request) }, options),
    }
  }
}

/** Which request, and which trace, a job comes from. */
function causeOf({ requestId }: Request): { request_id?: string; traceparent?: string } {
  if (requestId === undefined) return {}
  const traceparent = tracing()?.traceparentOf(requestId)
  return { request_id: requestId, ...(traceparent !== undefined && { traceparent }) }
}

/** What an operation did beside its own tables. */
interface Done {
  emitted: Emitted[]
  change?: Change
}

/** One row for each request that succeeded. The program's own rounds leave one only when they changed something. */
function auditEntries(
  op: Operation,
  requests: readonly Request[],
  fresh: readonly number[],
  results: readonly (Outcome | Error)[],
  { emitted, change }: Done,
): AuditEntry[] {
  if (op.unaudited !== undefined) return []
  const statuses = statusChanges(emitted)
  const entries: AuditEntry[] = []
  for (const i of fresh) {
    const result = results[i]!
    if (result instanceof Error || (requests[i]!.actor.role === 'system' && emitted.length === 0)) continue
    entries.push(auditEntry(op, requests[i]!, result.output, statuses, change))
  }
  return entries
}

/** The tenant that the answer of an operation outside tenants names. */
const tenantNamedBy = (output: unknown) => (output as { tenant?: { id: number } | null } | null)?.tenant?.id
const send = (tx: Tx, { text, values }: Statement) => tx.query(text, values)

/** What happened outside tenants in one of them, such as somebody joining it. */
async function appendOutside(tx: Tx, op: Operation, output: unknown, { emitted }: Done) {
  const append = appendStatement(emitted)
  if (!append) return []
  const tenantId = tenantNamedBy(output)
  if (tenantId === undefined) throw new Error(`${op.id} emits events of no tenant`)
  await tx.query(`select set_config('app.current_tenant_id', $1, true)`, [String(tenantId)])
  return placeEvents(tenantId, append, await send(tx, append))
}

/** Into the log of the tenant that the caller or the answer names, else the platform's. */
async function auditOutside(tx: Tx, op: Operation, request: Request, output: unknown, change?: Change): Promise<void> {
  if (op.unaudited !== undefined) return
  const entry = auditEntry(op, request, output, new Map(), change)
  const created = /^tenant:(\d+)$/.exec(entry.subject)?.[1]
  const tenantId = request.actor.tenantId ?? tenantNamedBy(output) ?? Number(created ?? PLATFORM_LOG)
  await send(tx, appendAudit(tenantId, [entry]))
}

/** A key that cannot be used says nothing of the work, so nothing is stored under it. */
class KeyRefused extends Error {
  override readonly cause: AppError
  constructor(cause: AppError) {
    super(cause.code)
    this.cause = cause
  }
}

/** Statements outside tenants, each in a transaction of its own. */
function eachAlone(db: Database): Tx {
  return {
    query: (text, values) => db.platform((tx) => tx.query(text, values)),
    maybe: (text, values) => db.platform((tx) => tx.maybe(text, values)),
    one: (text, values) => db.platform((tx) => tx.one(text, values)),
  }
}

/** Deny by default: the role must be listed, the token must carry the scope, the tenant must be the credential's own. */
function authorize(op: Operation, { actor, tenant }: Request): void {
  if (tenant && actor.tenantId !== null && actor.tenantId !== tenant.id) throw notFound()
  if (!op.roles.includes(actor.role))
    throw new AppError(
      actor.role === 'anonymous' ? 'unauthorized' : 'forbidden',
      actor.role === 'anonymous' ? 'unauthorized' : 'forbidden',
    )
  if (op.scope && actor.role !== 'anonymous' && actor.role !== 'visitor' && !actor.scopes.has(op.scope))
    throw new AppError('forbidden', 'forbidden')
  if (op.needsProof) checkProof(actor)
  if (op.handsOutPeople && actor.impersonatorId) throw new AppError('forbidden', 'impersonation_refused')
  if (tenant?.switched_off?.length && closedBy(tenant.switched_off, op, actor.role))
    throw new AppError('unavailable', 'switched_off')
}

/** Strangers share one principal, so a key that another could guess would hand over somebody's answer. */
const STRANGERS_KEY_LENGTH = 20
function checkKey({ actor, key }: Request): void {
  if (key !== undefined && actor.role === 'anonymous' && key.length < STRANGERS_KEY_LENGTH) {
    throw new AppError('invalid_input', 'idempotency_key_invalid')
  }
}

function claimOf(op: Operation, { actor, key, input }: Request): KeyClaim | null {
  return key === undefined
    ? null
    : { principal: actor.principal, operation: op.id, key, fingerprint: fingerprint(input) }
}

/** Settles replays and refused keys in `results`; returns the indices of those that must run. */
async function claimFresh(
  tx: WriteTx,
  op: Operation,
  requests: readonly Request[],
  results: (Outcome | Error)[],
): Promise<number[]> {
  const claims = requests.flatMap((request, i) => {
    const claim = claimOf(op, request)
    return claim ? [{ i, claim }] : []
  })
  const fresh = new Set(requests.keys())
  if (claims.length === 0) return [...fresh]
  const states = await claimKeys(
    tx,
    claims.map(({ claim }) => claim),
  )
  states.forEach((result, n) => {
    if (result.state === 'fresh') return
    const { i } = claims[n]!
    fresh.delete(i)
    results[i] = result.state === 'refused' ? result.error : replay(result.answer)
  })
  return [...fresh]
}

function replay({ status, body }: StoredAnswer): Outcome {
  return {
    body,
    status,
    replayed: true,
    get output() {
      return body === '' ? null : JSON.parse(body)
    },
  }
}
function finished(op: Operation, output: unknown): Outcome {
  let body: string | undefined
  return {
    output,
    status: op.http.status ?? 200,
    replayed: false,
    get body() {
      return (body ??= stringifyOutput(op, output))
    },
  }
}
function unwrap(outcome: Outcome | Error): Outcome {
  if (outcome instanceof Error) throw outcome
  return outcome
}

/**
 * Whether the database certainly undid the transaction. A connection lost after COMMIT left says nothing: run again, the
 * work of callers without a key would be done twice. Where no connection was to be had, a second try finds none either.
 */
function wasUndone(error: unknown): boolean {
  if (!(error instanceof AppError) || error.kind !== 'unavailable') return true
  return error.code === 'database_busy' && databaseError(error) !== undefined
}

/** What an error means to the caller: its own code, a declared constraint, a transient state, or nothing at all. */
function meaning(op: Operation, error: unknown): AppError {
  if (error instanceof AppError) return error
  const cause = databaseError(error)
  const declared = cause?.constraint && op.constraints?.[cause.constraint]
  if (declared) return declared()
  if (cause && /^(40001|40P01|55P03|57014)$/.test(cause.code))
    return new AppError('unavailable', 'database_busy', { cause: error })
  return new AppError('internal', 'internal', { cause: error })
}
