import Type, { type Static, type TObject, type TSchema, type TUnsafe } from 'typebox'
import type { Actor, Role, Scope } from './access.ts'
import { databaseError } from './db/index.ts'
import { conflict, notFound, type AppError, type ConstraintErrors } from './errors.ts'
import { checkIfMatch } from './etag.ts'
import { listPage, type Condition, type OrderColumn, type Ordering, type PageRequest } from './list.ts'
import { operation, type Context, type Operation } from './operation.ts'
import { Closed, Enum, Id, Page, PageInput, Text, Time } from './schema.ts'

/** Columns a caller may write, by name: what `create` accepts. Those with a `Default` may be left out. */
export type Fields = Record<string, TSchema>
/** A row of the table as it leaves: every column present. */
type RowOf<F extends Fields> = Required<Static<TObject<F>>> & {
  id: number
  created_at: string
  updated_at: string
}
/** A row before it is written: fields of `create` that have no default may still be missing. */
type Prepared<F extends Fields> = Omit<RowOf<F>, 'id' | 'created_at' | 'updated_at'>

export interface ResourceSpec<F extends Fields> {
  /** Plural, in operation ids and paths: `services`, `queue-rules`. */
  noun: string
  /** Name of the thing in events: `service`. */
  singular: string
  table: string
  fields: F
  /** Fields that keep the value they were created with. */
  fixed?: readonly (keyof F & string)[]
  /** Columns only the program writes; sent after the fields. */
  readOnly?: Record<string, TSchema>
  /** Query parameters of the list: their schema and the condition, with the value as `$1`. */
  filters?: Record<string, { schema: TSchema; where: string }>
  /** Text columns that `?q=` looks in. */
  search?: readonly (keyof F & string)[]
  /** Columns the list may be ordered by, each both ways; NOT NULL. The first, `-` for descending, is the default. */
  orderings: readonly string[]
  scopes: { read: Scope; write: Scope }
  roles: { read: readonly Role[]; write: readonly Role[]; delete?: readonly Role[] }
  /** A valid input of `create`. */
  example: Static<TObject<F>>
  constraints?: ConstraintErrors
  /** Stream that carries its events; 0, the tenant's own, when absent. */
  siteOf?: (row: RowOf<F>) => number
  /** What events carry of the row. The log cannot forget: rows about people carry their id only. */
  eventData?: (row: RowOf<F>) => Record<string, unknown>
  /**
   * Runs before the write with the row as it would be: refuses what the schema cannot, returns what to write.
   * Optional fields without a `Default` are undefined here when absent; it must fill them.
   */
  prepare?: (ctx: Context, next: Prepared<F>, before: RowOf<F> | undefined) => Prepared<F> | Promise<Prepared<F>>
  /**
   * Conditions that keep a limited caller's list, reads and writes to what concerns these sites or queues (`$1`); of what
   * has a `site_id` or `queue_id` they follow when absent.
   */
  within?: Within
  /** What must exist beside a new row. */
  created?: (ctx: Context, row: RowOf<F>) => Promise<void>
}

interface Within {
  sites: string
  queues: string
}

export interface Resource<F extends Fields> {
  entity: TUnsafe<RowOf<F>>
  /** Column list, in the order of the entity. */
  columns: string
  operations: readonly Operation[]
}

const article = (noun: string) => (/^[aeiou]/.test(noun) ? 'an' : 'a')

/** A field that may be left out of `create`; `value` is stored then. */
export function Default<T extends TSchema, const V extends Static<T>>(schema: T, value: V) {
  return Type.Optional(copy(schema, { default: value }))
}

/**
 * The five operations of a configuration noun. Tables have `id, created_at, updated_at` beside the fields.
 * `update` is a JSON merge: absent fields stay, null empties a nullable one. A write under If-Match checks it with the
 * row locked. A foreign id is a missing id, in the path and in references alike.
 */
export function resource<const F extends Fields>(spec: ResourceSpec<F>): Resource<F> {
  const { noun, singular, table, fields, scopes, roles } = spec
  type Row = RowOf<F>
  const names = Object.keys(fields)
  const entitySchema = Closed({
    id: Id,
    ...mapValues(fields, required),
    ...spec.readOnly,
    created_at: Time,
    updated_at: Time,
  })
  const columns = Object.keys(entitySchema.properties).join(', ')
  const entity = Type.Unsafe<Row>(entitySchema)
  const defaults = mapValues(fields, (schema) => (schema as { default?: unknown }).default)
  for (const name of names) {
    if (Type.IsOptional(fields[name]) && defaults[name] === undefined && !spec.prepare) {
      throw new Error(`${noun}.${name} needs a default`)
    }
  }
  const path = `/${noun}/`
  const itemPath = `/${noun}/{id}/`
  const constraints = spec.constraints ?? {}
  const shared = { constraints }

  const siteOf = spec.siteOf ?? (() => 0)
  const isPersonal = spec.eventData !== undefined
  const eventData = spec.eventData ?? ((row: Row) => ({ [singular]: row }))
  const emit = (ctx: Context, verb: string, row: Row) =>
    ctx.emit({ type: `${singular}.${verb}`, site_id: siteOf(row), data: eventData(row) })
  const encode = (row: Record<string, unknown>) => names.map((name) => toColumn(fields[name]!, row[name]))

  const orderings = orderingsOf(spec.orderings, entitySchema.properties)
  const list = operation({
    id: `${noun}.list`,
    kind: 'query',
    summary: `List ${noun}`,
    scope: scopes.read,
    roles: roles.read,
    http: { method: 'GET', path },
    input: Closed({
      ...PageInput,
      ordering: Type.Optional(Enum(Object.keys(orderings), { default: spec.orderings[0] })),
      ...(spec.search && { q: Type.Optional(Text(100, { minLength: 1 })) }),
      ...mapValues(spec.filters ?? {}, ({ schema }) => Type.Optional(schema)),
    }) as TObject,
    output: Page(entity),
    example: { input: {} },
    run: (ctx, input: Record<string, unknown>) =>
      listPage<Row>(
        ctx.tx,
        `select ${columns} from ${table}`,
        orderings,
        {
          ...(input as Partial<PageRequest>),
          ordering: (input['ordering'] as string | undefined) ?? spec.orderings[0]!,
        },
        [...conditionsOf(spec, input), ...limitsOf(spec, ctx.actor)],
      ),
  })

  const get = operation({
    id: `${noun}.get`,
    kind: 'query',
    summary: `Get one ${singular}`,
    scope: scopes.read,
    roles: roles.read,
    http: { method: 'GET', path: itemPath },
    input: Closed({ id: Id }),
    output: entity,
    example: { input: { id: 1 } },
    run: (ctx, { id }) => {
      const { text, values } = limitedTo(spec, ctx.actor)
      return ctx.tx.one<Row>(`select ${columns} from ${table} where id = $1${text}`, [id, ...values])
    },
    readMany: (ctx, ids) => {
      const { text, values } = limitedTo(spec, ctx.actor)
      return ctx.tx.query<Row>(`select ${columns} from ${table} where id = any($1)${text}`, [ids, ...values])
    },
  })

  const create = operation({
    ...shared,
    id: `${noun}.create`,
    kind: 'mutation',
    summary: `Create ${article(singular)} ${singular}`,
    scope: scopes.write,
    roles: roles.write,
    http: { method: 'POST', path, status: 201 },
    input: Closed(fields) as TObject,
    output: entity,
    example: { input: spec.example as Record<string, unknown> },
    async run(ctx, input) {
      const wanted = { ...defaults, ...input } as Row
      const next = (await spec.prepare?.(ctx, wanted, undefined)) ?? wanted
      const row = await refused(
        ctx.tx.one<Row>(
          `insert into ${table} (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')}) returning ${columns}`,
          encode(next),
        ),
        constraints,
        notFound,
      )
      await spec.created?.(ctx, row)
      ctx.record({ before: null, after: row, isPersonal })
      emit(ctx, 'created', row)
      return row
    },
  })

  const changeable = names.filter((name) => !spec.fixed?.includes(name))
  const update = operation({
    ...shared,
    id: `${noun}.update`,
    kind: 'mutation',
    summary: `Change ${article(singular)} ${singular}`,
    scope: scopes.write,
    roles: roles.write,
    http: { method: 'PATCH', path: itemPath },
    input: Closed({
      id: Id,
      ...Object.fromEntries(changeable.map((name) => [name, Type.Optional(required(fields[name]!))])),
    }) as TObject,
    output: entity,
    example: { input: { id: 1, ...firstField(changeable, spec.example) } },
    async run(ctx, { id, ...changes }: Record<string, unknown>) {
      const { text, values } = limitedTo(spec, ctx.actor)
      const before = await ctx.tx.one<Row>(`select ${columns} from ${table} where id = $1${text} for no key update`, [
        id,
        ...values,
      ])
      checkIfMatch(ctx.ifMatch, get, before)
      const wanted = { ...before, ...changes }
      const next = (await spec.prepare?.(ctx, wanted, before)) ?? wanted
      const row = await refused(
        ctx.tx.one<Row>(
          `update ${table} set ${names.map((name, i) => `${name} = $${i + 2}`).join(', ')}, updated_at = now() where id = $1 returning ${columns}`,
          [id, ...encode(next)],
        ),
        constraints,
        notFound,
      )
      ctx.record({ before, after: row, isPersonal })
      emit(ctx, 'updated', row)
      return row
    },
  })

  const remove = operation({
    ...shared,
    id: `${noun}.delete`,
    kind: 'mutation',
    summary: `Delete ${article(singular)} ${singular}`,
    scope: scopes.write,
    roles: roles.delete ?? roles.write,
    http: { method: 'DELETE', path: itemPath, status: 204 },
    input: Closed({ id: Id }),
    output: Type.Null(),
    example: { input: { id: 1 } },
    async run(ctx, { id }) {
      const { text, values } = limitedTo(spec, ctx.actor)
      const row = await ctx.tx.one<Row>(`select ${columns} from ${table} where id = $1${text} for update`, [
        id,
        ...values,
      ])
      checkIfMatch(ctx.ifMatch, get, row)
      await refused(ctx.tx.query(`delete from ${table} where id = $1`, [id]), constraints, () => conflict('in_use'))
      ctx.record({ before: row, after: null, isPersonal })
      emit(ctx, 'deleted', row)
      return null
    },
  })

  return { entity, columns, operations: [list, get, create, update, remove] }
}

/** Rethrows a broken reference (23503) as `meaning`, unless the operation declares that constraint itself. */
async function refused<T>(work: Promise<T>, constraints: ConstraintErrors, meaning: () => AppError): Promise<T> {
  try {
    return await work
  } catch (error) {
    const cause = databaseError(error)
    if (cause?.code === '23503' && !(cause.constraint && constraints[cause.constraint])) throw meaning()
    throw error
  }
}

function conditionsOf(
  { filters = {}, search }: Pick<ResourceSpec<Fields>, 'filters' | 'search'>,
  input: Record<string, unknown>,
): Condition[] {
  const conditions: Condition[] = []
  for (const [name, { where }] of Object.entries(filters)) {
    if (input[name] !== undefined) conditions.push({ text: where, values: [input[name]] })
  }
  if (typeof input['q'] === 'string' && search) {
    const pattern = `%${input['q'].replace(/[\\%_]/g, '\\$&')}%`
    conditions.push({ text: search.map((column) => `${column} ilike $1`).join(' or '), values: [pattern] })
  }
  return conditions
}

/** What stands in a queue is its own; what stands at a site is of whoever has one of its queues. */
function withinOf({ within, fields, noun }: Limiting): Within | undefined {
  if (within) return within
  const ownQueue = noun === 'queues' ? 'id' : 'queue_id'
  const isOfQueue = noun === 'queues' || ('queue_id' in fields && !('site_id' in fields))
  if (isOfQueue)
    return {
      sites: `${ownQueue} in (select q.id from queues q where q.site_id = any($1))`,
      queues: `${ownQueue} = any($1)`,
    }
  if (!('site_id' in fields)) return undefined
  const ofQueue = 'queue_id' in fields ? ' and (queue_id is null or queue_id = any($1))' : ''
  return {
    sites: 'site_id = any($1)',
    queues: `site_id in (select q.site_id from queues q where q.id = any($1))${ofQueue}`,
  }
}
type Limiting = Pick<ResourceSpec<Fields>, 'within' | 'fields' | 'noun'>

function limitsOf(spec: Limiting, { siteIds, queueIds }: Actor): Condition[] {
  const within = siteIds || queueIds ? withinOf(spec) : undefined
  if (!within) return []
  return [
    ...(siteIds ? [{ text: within.sites, values: [siteIds] }] : []),
    ...(queueIds ? [{ text: within.queues, values: [queueIds] }] : []),
  ]
}

/** The same behind a condition that has `$1`. */
function limitedTo(spec: Limiting, actor: Actor): Condition {
  const limits = limitsOf(spec, actor)
  return {
    text: limits.map(({ text }, i) => ` and (${text.replaceAll('$1', `$${i + 2}`)})`).join(''),
    values: limits.map(({ values }) => values[0]),
  }
}

function orderingsOf(names: readonly string[], properties: Record<string, TSchema>): Record<string, Ordering> {
  const column = (name: string, descending: boolean): OrderColumn => {
    const schema = properties[name] as { type?: string; format?: string } | undefined
    if (!schema?.type) throw new Error(`cannot order by ${name}`)
    const type = schema.type === 'integer' ? 'integer' : schema.format === 'date-time' ? 'timestamptz' : 'text'
    return { column: name, type, descending }
  }
  const columns = (name: string, descending: boolean) =>
    (name === 'id' ? ['id'] : [name, 'id']).map((each) => column(each, descending))
  return Object.fromEntries(
    names.flatMap((signed) => {
      const name = signed.replace(/^-/, '')
      return [
        [name, columns(name, false)],
        [`-${name}`, columns(name, true)],
      ]
    }),
  )
}

/** The driver writes arrays as PostgreSQL arrays; objects belong to jsonb columns. */
function toColumn(schema: TSchema, value: unknown): unknown {
  return value !== null && isObjectSchema(schema) ? JSON.stringify(value) : value
}
function isObjectSchema(schema: TSchema): boolean {
  const { type, anyOf } = schema as { type?: string; anyOf?: TSchema[] }
  return type === 'object' || Boolean(anyOf?.some(isObjectSchema))
}

/** TypeBox keeps its marks in hidden properties, which a spread would lose. */
function copy<T extends TSchema>(schema: T, changes: Record<string, unknown>, without: readonly string[] = []): T {
  const descriptors: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(schema)
  for (const key of without) delete descriptors[key]
  return Object.assign(Object.create(Object.getPrototypeOf(schema) as object | null, descriptors), changes) as T
}
const required = (schema: TSchema): TSchema => copy(schema, {}, ['default', '~optional'])

function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
function firstField(names: readonly string[], example: object): Record<string, unknown> {
  const name = names.find((candidate) => candidate in example)
  return name ? { [name]: (example as Record<string, unknown>)[name] } : {}
}
