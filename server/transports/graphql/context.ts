import DataLoader from 'dataloader'
import { childCursor, childKey, type Child, type Edge } from '../../kernel/edge.ts'
import type { Actor } from '../../kernel/access.ts'
import type { Origin } from '../../kernel/audit/origin.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Runtime } from '../../kernel/execute.ts'
import type { LimitState } from '../../kernel/limits/store.ts'
import type { Operation } from '../../kernel/operation.ts'
import type { Locale } from '../../kernel/schema.ts'
import type { Authenticator, Caller } from '../authenticate.ts'
import { routesOf } from '../routes.ts'
import type { Follow } from './follow.ts'

/** What every request of this server shares. */
export interface Shared {
  runtime: Runtime
  authenticator: Authenticator
  operationById: ReadonlyMap<string, Operation>
  /** Opens a live feed; absent where this process serves none. */
  follow?: Follow
}
/** Who asks, and from where. */
export interface Asker {
  actor: Actor
  /** Tenant named by the request, beside the credential's own. */
  slugs: readonly string[]
  language: string | undefined
  /** By `?lang=`: before everything else. */
  askedLocale?: Locale | undefined
  /** Outside tenants; inside, the tenant has its say. */
  locale: Locale
  requestId: string
  origin: Origin | undefined
  /** Idempotency-Key of the whole request. */
  key?: string | undefined
  /** Of a challenge. */
  solution?: string | undefined
  limited?: (states: readonly LimitState[]) => void
}
export interface MutationOptions {
  key?: string | undefined
  ifMatch?: string | undefined
  /** A visitor's ticket, where the operation is a visitor's. */
  token?: string | undefined
}

export type Row = Record<string, unknown>
export interface Connection {
  edges: { node: unknown; cursor: string }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
}
export interface ChildrenArguments extends Readonly<Record<string, unknown>> {
  first?: number | null
  after?: string | null
}

/** Children of one parent when nobody says how many. */
export const USUAL_CHILDREN = 20
export const MOST_CHILDREN = 200

/** One request: who asks, and what it has loaded already. */
export class GraphqlContext {
  readonly asker: Asker
  readonly shared: Shared
  /** Fields answered from an earlier request with the same key. */
  readonly replayed: string[] = []
  #placed: Promise<Caller> | undefined
  #rows = new Map<string, DataLoader<number, Row | null>>()
  #children = new Map<string, DataLoader<number, Child[]>>()

  constructor(shared: Shared, asker: Asker) {
    this.shared = shared
    this.asker = asker
  }

  /** The asker in the tenant that was named. @throws AppError as `Authenticator.place` */
  placed(): Promise<Caller> {
    const { actor, slugs, language } = this.asker
    return (this.#placed ??= this.#asked(this.shared.authenticator.place(actor, slugs, language)))
  }

  async #asked(placed: Promise<Caller>): Promise<Caller> {
    const { askedLocale: locale } = this.asker
    return { ...(await placed), ...(locale && { locale }) }
  }

  /** Runs an operation as every other transport does. */
  async run(op: Operation, input: unknown, { key, ifMatch, token }: MutationOptions = {}): Promise<unknown> {
    const { authenticator, runtime } = this.shared
    const { actor, language, locale, requestId, origin, solution, limited } = this.asker
    const { entrance } = routesOf(op)[0]!
    let caller: Caller
    if (entrance === 'visitor') caller = await this.#asked(authenticator.visitor(token ?? '', language))
    else caller = entrance === 'root' ? { actor, tenant: null, locale } : await this.placed()
    const asked = { key, ifMatch, solution, requestId, origin, limited }
    const outcome = await runtime.execute(op, { ...caller, ...asked, input })
    if (outcome.replayed) this.replayed.push(op.id)
    if (outcome.status >= 400) throw new StoredRefusal(JSON.parse(outcome.body) as StoredProblem)
    // What was loaded before the change may be told no more.
    if (op.kind === 'mutation') this.#forget()
    return outcome.output
  }

  #forget() {
    this.#rows.clear()
    this.#children.clear()
  }

  /** A row by id through its read operation; rows asked for together are read together. */
  async row(operationId: string, id: number): Promise<Row | null> {
    let loader = this.#rows.get(operationId)
    if (!loader) {
      const op = this.shared.operationById.get(operationId)!
      loader = new DataLoader(async (ids: readonly number[]) => {
        const { locale, actor, tenant } = await this.placed()
        const rows = await this.shared.runtime.readMany(op, { actor, tenant, locale }, ids)
        return ids.map((each) => rows.get(each) ?? null)
      })
      this.#rows.set(operationId, loader)
    }
    return loader.load(id)
  }

  /** The children of a row, each as far as the asker may see it. */
  async children(edge: Edge, parent: number, given: ChildrenArguments): Promise<Connection> {
    const { first, after, ...rest } = given
    if (first !== undefined && first !== null && (first < 1 || first > MOST_CHILDREN))
      throw new AppError('invalid_input', 'invalid_input', { fields: [{ path: '/first', code: 'range' }] })
    const limit = first ?? USUAL_CHILDREN
    const args = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null))
    const found = await this.#finder(edge, { limit, after: after ?? null, args }).load(parent)
    const shown = found.slice(0, limit)
    const rows = await Promise.all(shown.map(({ id }) => this.row(edge.to, id)))
    const edges = shown.flatMap(({ key }, i) => (rows[i] ? [{ node: rows[i], cursor: childCursor(key) }] : []))
    return {
      edges,
      pageInfo: {
        hasNextPage: found.length > limit,
        hasPreviousPage: after !== undefined && after !== null,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      },
    }
  }

  #finder(edge: Edge, { limit, after, args }: { limit: number; after: string | null; args: Row }) {
    const name = `${edge.types[0]}.${edge.field} ${JSON.stringify([limit, after, args])}`
    let loader = this.#children.get(name)
    if (!loader) {
      const wanted = { limit: limit + 1, after: after === null ? null : childKey(after), args }
      loader = new DataLoader(async (parents: readonly number[]) => {
        const { actor, tenant, locale } = await this.placed()
        const op = this.shared.operationById.get(edge.to)!
        const found = await this.shared.runtime.readFor(op, { actor, tenant, locale }, (tx) =>
          edge.children!.find(tx, parents, wanted),
        )
        const byParent = Map.groupBy(found, (child) => child.parent)
        return parents.map((id) => byParent.get(id) ?? [])
      })
      this.#children.set(name, loader)
    }
    return loader
  }
}

interface StoredProblem {
  code: string
  status: number
  title: string
  detail: string
  errors: { path: string; code: string; detail: string }[]
}
/** A refusal given to an earlier request with the same key, told again as it was. */
export class StoredRefusal extends Error {
  readonly problem: StoredProblem
  constructor(problem: StoredProblem) {
    super(problem.detail)
    this.problem = problem
  }
}
