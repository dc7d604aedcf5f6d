import { AppError, invalid } from './errors.ts'
import type { Tx } from './db/types.ts'

/** A column of an ordering. It must be NOT NULL: rows without a value would fall out of every page. */
export interface OrderColumn {
  /** Name in the row, and in SQL unless `expression` says otherwise. */
  column: string
  expression?: string
  type: 'text' | 'integer' | 'timestamptz' | 'date'
  descending?: boolean
}
/** Ends in a unique column (`id`), so that every row has one place. */
export type Ordering = readonly OrderColumn[]

/** A condition with its own `$1…` numbering; `listPage` renumbers it. The text never holds a caller's value. */
export interface Condition {
  text: string
  values: readonly unknown[]
}

export interface PageRequest {
  ordering: string
  limit?: number
  cursor?: string
}
/** Marks a page's way to the cursor of one of its rows, for transports that give each row its own; JSON leaves it out. */
export const ROW_CURSOR: unique symbol = Symbol('row cursor')
export interface PageOf<Row> {
  results: Row[]
  next: string | null
  previous: string | null
  /** Cursor that reads on after the row at this index. */
  [ROW_CURSOR]?: (index: number) => string
}
/** The same cursor read the other way: what stands before its row. What is no cursor stays as it is, to be refused. */
export function backward(cursor: string): string {
  try {
    const [ordering, , ...values] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    return Buffer.from(JSON.stringify([ordering, 'before', ...values])).toString('base64url')
  } catch {
    return cursor
  }
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200

/** `after` reads forward, `before` backward, `until` backward with the named row itself. */
type Position = 'after' | 'before' | 'until'
interface Cursor {
  position: Position
  values: (string | number)[]
}

/**
 * One page of a list by keyset: cost does not grow with depth, and rows that come or go meanwhile neither repeat nor
 * hide others. `select` is `select … from …` without WHERE. The texts are few (orderings x filters in use x positions),
 * so each is prepared once.
 * @throws AppError invalid_input `cursor` for a cursor this list did not make
 */
export async function listPage<Row extends object>(
  tx: Tx,
  select: string,
  orderings: Readonly<Record<string, Ordering>>,
  request: PageRequest,
  where: readonly Condition[] = [],
): Promise<PageOf<Row>> {
  const ordering = orderings[request.ordering]
  if (!ordering) throw invalid('/ordering', 'unknown_ordering')
  const limit = Math.min(request.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
  const cursor = request.cursor === undefined ? undefined : decode(request.cursor, request.ordering, ordering)
  const isBackward = cursor !== undefined && cursor.position !== 'after'

  const values: unknown[] = []
  const conditions = cursor ? [...where, keyset(ordering, cursor)] : where
  const text = conditions.map((condition) => `(${renumber(condition, values)})`).join(' and ')
  values.push(limit + 1)
  const rows = await tx.query<Row>(
    `${select}${text && ` where ${text}`} order by ${orderBy(ordering, isBackward)} limit $${values.length}`,
    values,
  )
  const more = rows.length > limit
  if (more) rows.pop()
  if (isBackward) rows.reverse()

  const edge = (row: Row | undefined, position: Position) =>
    row ? encode(request.ordering, { position, values: keyOf(ordering, row) }) : null
  if (rows.length === 0) {
    // Everything after the cursor has gone: the way back starts with the row the cursor names.
    const back = cursor && !isBackward ? encode(request.ordering, { ...cursor, position: 'until' }) : null
    return { results: rows, next: null, previous: back }
  }
  return {
    results: rows,
    next: more || isBackward ? edge(rows.at(-1), 'after') : null,
    previous: isBackward ? (more ? edge(rows[0], 'before') : null) : cursor ? edge(rows[0], 'before') : null,
    [ROW_CURSOR]: (index) => edge(rows[index], 'after')!,
  }
}

/** The condition's text with its placeholders moved behind `values`, to which its own are added. */
function renumber(condition: Condition, values: unknown[]): string {
  const offset = values.length
  values.push(...condition.values)
  return condition.text.replace(/\$(\d+)/g, (_, index: string) => `$${offset + Number(index)}`)
}

const sqlOf = (column: OrderColumn) => column.expression ?? column.column

function orderBy(ordering: Ordering, backward: boolean): string {
  return ordering
    .map((column) => `${sqlOf(column)}${Boolean(column.descending) === backward ? '' : ' desc'}`)
    .join(', ')
}

/** `(a, b) > ($1, $2)`, which an index serves directly, or its spelled-out form where directions differ. */
function keyset(ordering: Ordering, { position, values }: Cursor): Condition {
  const parameter = (index: number) =>
    `$${index + 1}::${ordering[index]!.type === 'integer' ? 'bigint' : ordering[index]!.type}`
  const sign = (column: OrderColumn) => (Boolean(column.descending) === (position === 'after') ? '<' : '>')
  const uniform = ordering.every((column) => sign(column) === sign(ordering[0]!))
  if (uniform) {
    const columns = ordering.map(sqlOf).join(', ')
    const operator = sign(ordering[0]!) + (position === 'until' ? '=' : '')
    return { text: `(${columns}) ${operator} (${ordering.map((_, index) => parameter(index)).join(', ')})`, values }
  }
  const alternatives = ordering.map((column, index) => {
    const equal = ordering.slice(0, index).map((previous, at) => `${sqlOf(previous)} = ${parameter(at)}`)
    const operator = sign(column) + (position === 'until' && index === ordering.length - 1 ? '=' : '')
    return [...equal, `${sqlOf(column)} ${operator} ${parameter(index)}`].join(' and ')
  })
  return { text: alternatives.map((alternative) => `(${alternative})`).join(' or '), values }
}

function keyOf(ordering: Ordering, row: object): (string | number)[] {
  return ordering.map(({ column }) => (row as Record<string, string | number>)[column]!)
}

function encode(name: string, { position, values }: Cursor): string {
  return Buffer.from(JSON.stringify([name, position, ...values])).toString('base64url')
}

/** A cursor is a caller's input: it must name this ordering and carry values PostgreSQL will accept as they are. */
function decode(text: string, name: string, ordering: Ordering): Cursor {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (cause) {
    throw badCursor(cause)
  }
  if (!Array.isArray(parts) || parts.length !== ordering.length + 2 || parts[0] !== name) throw badCursor()
  const [, position, ...values] = parts as unknown[]
  if (position !== 'after' && position !== 'before' && position !== 'until') throw badCursor()
  for (const [index, column] of ordering.entries()) if (!accepts[column.type](values[index])) throw badCursor()
  return { position, values: values as (string | number)[] }
}
const badCursor = (cause?: unknown) =>
  new AppError('invalid_input', 'invalid_input', { fields: [{ path: '/cursor', code: 'cursor' }], cause })

/** PostgreSQL has no year 0, and JavaScript's Date would let the 30th of February through. */
const parses = (parse: (text: string) => unknown, pattern: RegExp) => (value: unknown) => {
  if (typeof value !== 'string' || !pattern.test(value)) return false
  try {
    parse(value)
    return true
  } catch {
    return false
  }
}
const accepts: Record<OrderColumn['type'], (value: unknown) => boolean> = {
  integer: Number.isSafeInteger,
  text: (value) => typeof value === 'string' && !value.includes('\0') && value.isWellFormed(),
  timestamptz: parses(Temporal.Instant.from, /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/),
  date: parses(Temporal.PlainDate.from, /^[1-9]\d{3}-\d\d-\d\d$/),
}
