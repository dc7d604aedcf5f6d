import type { TObject } from 'typebox'
import type { Tx } from './db/types.ts'
import { AppError } from './errors.ts'

/** A child of one of several parents, with the values it is ordered by. */
export interface Child {
  parent: number
  id: number
  key: (string | number)[]
}
export interface ChildrenWanted {
  limit: number
  /** Values of the last child seen. */
  after: readonly (string | number)[] | null
  args: Readonly<Record<string, unknown>>
}

/**
 * A line from one thing to another in the graph. Declared by a module beside its operations. What is found passes the
 * read operation that is named: its roles, its scope and the caller's limits.
 */
export interface Edge {
  /** Types of the graph that have it. */
  types: readonly string[]
  field: string
  summary: string
  /** Read by id with a `readMany`, e.g. `queues.get`. */
  to: string
  /** Property of the row with the other's id; null there is nothing there. */
  key?: string
  /** Ids of the children of many rows in one statement, each parent's in order and at most `limit`. */
  children?: {
    args?: TObject
    find(tx: Tx, parents: readonly number[], wanted: ChildrenWanted): Promise<Child[]>
  }
}

/** `order` of children: columns of `c`, the last one unique. */
export interface ChildrenOf {
  /** `from` of the statement: one table called `c`. */
  from: string
  /** Joins a child to `p.id`; `$4` and further are `values`. */
  where: string
  order: readonly (readonly [expression: string, type: 'text' | 'bigint'])[]
  descending?: true
}

/** The first children of each parent in one statement: an index scan each, never the whole table. */
export async function childrenOf(
  tx: Tx,
  { from, where, order, descending }: ChildrenOf,
  parents: readonly number[],
  { limit, after }: ChildrenWanted,
  values: readonly unknown[] = [],
): Promise<Child[]> {
  if (after && after.length !== order.length) throw badCursor()
  const columns = order.map(([expression]) => expression)
  const place = order.map(([, type], i) => `($3::text[])[${i + 1}]::${type}`).join(', ')
  const sign = descending ? '<' : '>'
  return tx.query<Child>(
    `select p.id as parent, c.id, c.key from unnest($1::bigint[]) as p(id) cross join lateral (
       select c.id, json_build_array(${columns.join(', ')}) as key from ${from}
       where ${where} ${after ? `and (${columns.join(', ')}) ${sign} (${place})` : 'and $3::text[] is null'}
       order by ${columns.map((column) => column + (descending ? ' desc' : '')).join(', ')} limit $2) c`,
    [parents, limit, after?.map(String) ?? null, ...values],
  )
}

const badCursor = () => new AppError('invalid_input', 'invalid_input', { fields: [{ path: '/after', code: 'cursor' }] })

/** Opaque cursor of a child. */
export const childCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url')

/** @throws AppError invalid_input for what `childCursor` did not make */
export function childKey(cursor: string): (string | number)[] {
  let key: unknown
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw badCursor()
  }
  const isValue = (value: unknown) =>
    Number.isSafeInteger(value) || (typeof value === 'string' && value.isWellFormed() && !value.includes('\0'))
  if (!Array.isArray(key) || !key.every(isValue)) throw badCursor()
  return key as (string | number)[]
}
