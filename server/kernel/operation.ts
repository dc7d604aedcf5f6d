import type { Static, TObject, TSchema } from 'typebox'
import type { Actor, Role, Scope } from './access.ts'
import type { Change } from './audit/change.ts'
import type { Origin } from './audit/origin.ts'
import type { Kept } from './cache/kept.ts'
import type { PoolName, Tx } from './db/types.ts'
import type { ConstraintErrors } from './errors.ts'
import type { EventInput, Hub } from './events/index.ts'
import type { LimitName } from './limits/policies.ts'
import type { LimitState } from './limits/store.ts'
import type { Locale } from './schema.ts'

/** The tenant a request works in, as cached by the kernel. */
export interface Tenant {
  id: number
  slug: string
  name: string
  locale: Locale
  timezone: string
  is_active: boolean
  /** When strangers must show a proof of work to take a ticket. */
  take_challenge: 'never' | 'automatic' | 'always'
  /** Colour of what visitors press; null, and absent: the product's own. */
  brand_colour?: string | null
  /** Languages that visitors are served in; all when absent. */
  languages?: readonly Locale[]
  /** What the platform tells its visitors now. */
  notices?: readonly { level: string; texts: Partial<Record<Locale, string>> }[]
  /** Names of switches that the platform has turned off, for this organisation or for all. */
  switched_off?: readonly string[]
}

/** What a capability may touch while it runs. Time comes from the database, never from here. */
export interface Context {
  tx: Tx
  tenant: Tenant
  actor: Actor
  /** Where the request came from; absent for this program's own. */
  origin: Origin | undefined
  locale: Locale
  hub: Hub
  /** Validator the caller expects on a configuration write (If-Match); the resource helper checks it under the row lock. */
  ifMatch: string | null
  /** Absolute public URL of a path of this installation. */
  url(path: string): string
  /** Appends an event when the operation commits; nothing is sent if it rolls back. */
  emit(event: EventInput): void
  /** Tells the audit trail what changed; without it the trail keeps what the caller asked for. */
  record(change: Change): void
  /** Adds a background job in this transaction. `job_key` replaces a waiting job of the same key. */
  enqueue(
    task: string,
    payload: Record<string, unknown>,
    options?: { run_at?: string; job_key?: string },
  ): Promise<void>
}

export interface HttpBinding {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Below `/api/v1/tenants/{tenant}` (the default), `/api/v1` or `/api/v1/public/{tenant}`; with `{param}`s and a trailing slash. */
  path: string
  base?: 'tenant' | 'root' | 'public'
  /** Success status; 200 when absent. */
  status?: 200 | 201 | 202 | 204
  /** Type of an answer that is text and no JSON; `output` is a string then. */
  contentType?: string
  /** Of an operation that takes whole files; 64 kB when absent. */
  maxBodyBytes?: number
  /** The answer starts a console session: only our own pages may ask for it. */
  cookie?: 'session'
  /** Further full paths that answer the same, e.g. a legacy spelling. */
  aliases?: readonly { method?: HttpBinding['method']; path: string }[]
}

/**
 * A capability, written once: REST, OpenAPI, GraphQL, WebSocket and CLI derive from it.
 * Path, query and body make one flat `input`.
 */
// oxlint-disable-next-line no-explicit-any -- the registry holds operations of every shape
export interface Operation<I extends TObject = any, O extends TSchema = any> {
  /** Noun and verb: `tickets.take`. */
  id: string
  kind: 'query' | 'mutation'
  summary: string
  description?: string
  /** Scope a caller's token must carry; null where no token is needed. */
  scope: Scope | null
  /** Deny by default: only these roles may run it. */
  roles: readonly Role[]
  /** Dangerous enough that a person must have proved who they are within the last minutes. */
  needsProof?: true
  /** Some of its inputs are (`checkProof`): what is known of the session's last proof must not be old. */
  mayNeedProof?: true
  /** Hands out data about people in bulk: an operator who acts as somebody may not. */
  handsOutPeople?: true
  http: HttpBinding
  input: I
  output: O
  example: { input: Static<I> }
  constraints?: ConstraintErrors
  /**
   * `false`, only outside tenants: every statement of `ctx.tx` commits alone, and no connection is held while the
   * operation works elsewhere, such as on a password's hash.
   */
  transaction?: false
  /** The answer opens a door, so it is not stored and an Idempotency-Key does not repeat it. */
  answersSecret?: true
  /** It is to go: from which day on nobody should begin with it, on which it goes at the earliest, and what takes its place. */
  deprecated?: { since: string; sunset: string; instead: string }
  /** Class of its rate limits; it follows from who may run it when absent. */
  limit?: LimitName
  /** Strangers may be asked for a proof of work, where their organisation wants one. */
  mayAskForWork?: true
  /** Inputs that may name a place the caller is not limited to, such as where a ticket is transferred. */
  elsewhere?: readonly string[]
  /** Why this mutation leaves no row in the audit trail. Every other one leaves exactly one. */
  unaudited?: string
  /** Pool whose connections it uses; `calls` is reserved for the counter's own acts, `replica` for queries of analytics. */
  pool?: PoolName
  /** Of a query whose answer is the same for all callers of a role: how its answers may be kept in memory. */
  kept?: Keeping<Static<I>, Static<O>>
  run(ctx: Context, input: Static<I>): Promise<Static<O>>
  /**
   * Batch form of a hot operation: one set-based statement for many callers of one tenant. Returns one result
   * or one AppError per input, in order; throwing sends every input through `runMany` alone again.
   */
  runMany?(ctx: Context, calls: readonly Call<Static<I>>[]): Promise<(Static<O> | Error)[]>
  /** Of a read by id: many rows, in any order, in a number of statements that does not grow with them. */
  readMany?(ctx: Context, ids: readonly number[]): Promise<Static<O>[]>
}
/** Where what an answer shows is told of: a site's stream, and there by one queue's events alone if it is named. */
export interface Place {
  siteId: number
  queueId?: number | undefined
}
interface Keeping<Input, Output> {
  /** By the input; undefined = these answers are not kept, or only the answer will tell. */
  place?(ctx: Context, input: Input): Place | undefined | Promise<Place | undefined>
  /** By the answer: what can move is kept only where it was found twice. */
  placeOf?(output: Output): Place
  /** The answer tells the time, or what no event does: so old it may be, in milliseconds. */
  maxAgeMs?: number
  /** Many processes are asked the same: one reads, the others take its answer where there is a second level. */
  isShared?: boolean
}
export interface Call<Input> {
  input: Input
  actor: Actor
  locale: Locale
}

/** Declares a capability; the types of `run` follow from its schemas. */
export function operation<I extends TObject, O extends TSchema>(definition: Operation<I, O>): Operation<I, O> {
  return definition
}
/** A hot capability: only its batch form is written, a single call is a batch of one. */
export function batchOperation<I extends TObject, O extends TSchema>(
  definition: Omit<Operation<I, O>, 'run'> & Required<Pick<Operation<I, O>, 'runMany'>>,
): Operation<I, O> {
  return {
    ...definition,
    async run(ctx, input) {
      const [result] = await definition.runMany(ctx, [{ input, actor: ctx.actor, locale: ctx.locale }])
      if (result instanceof Error) throw result
      return result as Static<O>
    },
  }
}

/** One caller's wish to run an operation. */
export interface Request {
  actor: Actor
  /** null only for operations outside tenants (`base: 'root'`). */
  tenant: Tenant | null
  locale: Locale
  input: unknown
  /** Idempotency-Key; the answer is kept for 24 hours. */
  key?: string | undefined
  ifMatch?: string | null | undefined
  /** Of a challenge, in base64; no part of the input, so that a repeated request stays the same one. */
  solution?: string | undefined
  /** Names the request in logs and problem documents. */
  requestId?: string | undefined
  /** Where it came from; absent for this program's own requests. */
  origin?: Origin | undefined
  /** Asks for what the database says now, whatever was answered before. */
  isFresh?: boolean | undefined
  /** Told how the request stands against its limits, also when it is refused for them. */
  limited?: ((states: readonly LimitState[]) => void) | undefined
}
/** What came of it: the output, its JSON exactly as stored, and whether it is a replay of an earlier answer. */
export interface Outcome {
  output: unknown
  body: string
  status: number
  replayed: boolean
  /** Set when the answer is kept, to be sent as it is. */
  kept?: Kept
}
