import { createHash } from 'node:crypto'
import type { Operation } from '../operation.ts'
import type { Locale } from '../schema.ts'

/** The same for all tenants, readers or languages. */
export const ALL = '*'

/** What a kept value depends on. A part that it does not depend on is said to be `ALL`, never left out. */
export interface CacheKey {
  /** Kind of value, in letters. */
  what: string
  /** Of the value's shape: processes of two releases share what is kept. */
  version: number | string
  tenant: number | typeof ALL
  /** Kind of reader: role and limits. */
  reader: string
  language: Locale | typeof ALL
  /** Which one of them. */
  of: string
}

const shapes = new WeakMap<Operation, string>()
/** The version of what an operation answers: another as soon as its schema is another. */
export function shapeOf(op: Operation): string {
  let shape = shapes.get(op)
  if (shape === undefined) {
    shape = createHash('sha256').update(JSON.stringify(op.output)).digest('base64url').slice(0, 12)
    shapes.set(op, shape)
  }
  return shape
}

const FORM = /^[a-z-]+@[\w-]+\|(?:\d+|\*)\|(?:[^|]+)\|(?:fr|en|ar|\*)\|/

/** Whether a text is a key with all its parts. */
export const isCacheKey = (text: string): boolean => FORM.test(text)

/** @throws TypeError when a part is missing: values of two readers must never meet under one key */
export function keyText({ what, version, tenant, reader, language, of }: CacheKey): string {
  const text = `${what}@${version}|${tenant}|${reader}|${language}|${of}`
  const isWhole =
    [what, version, tenant, reader, language].every((part) => part && !`${part}`.includes('|')) && isCacheKey(text)
  if (!isWhole) throw new TypeError(`not a whole key: ${text.slice(0, 200)}`)
  return text
}
