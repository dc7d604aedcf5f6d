import type { Operation } from '../../server/kernel/operation.ts'

/** Tables that are not called as the names of inputs would have it. */
const TABLES: Readonly<Record<string, string>> = {
  after: 'tickets',
  calendars: 'calendar_links',
  media: 'media',
  people: 'users',
}

/** Names that refer to rows; others only sound like tables. */
export const REFERS = /^(id|.+_ids?|site|queue|agent|customer|service|user|work_profile)$/

/** What an input's name refers to: a table with ids; undefined where it is none of the tables. */
export function tableOf(op: Operation, name: string, tables: ReadonlySet<string>): string | undefined {
  if (!REFERS.test(name)) return undefined
  const noun = name === 'id' ? segmentBefore(op.http.path, '{id}') : name.replace(/_ids?$/, '')
  const candidates = [TABLES[noun], noun.replaceAll('-', '_'), `${noun.replaceAll('-', '_')}s`]
  return candidates.find((each) => each !== undefined && tables.has(each))
}

function segmentBefore(path: string, placeholder: string): string {
  const segments = path.split('/')
  return segments[segments.indexOf(placeholder) - 1] ?? ''
}

type Schema = Record<string, unknown>
/** Does the schema take a number, or a list of them? */
export function takesId(schema: unknown): boolean {
  const { type, items, anyOf } = (schema ?? {}) as Schema
  if (type === 'integer') return true
  if (type === 'array') return takesId(items)
  return Array.isArray(anyOf) && anyOf.some(takesId)
}
export function takesList(schema: unknown): boolean {
  const { type, anyOf } = (schema ?? {}) as Schema
  return type === 'array' || (Array.isArray(anyOf) && anyOf.some(takesList))
}

export type Path = readonly (string | number)[]

/** Numbers of rows inside the objects and lists of an input, by where they stand. */
export function nestedReferences(schema: unknown, at: Path = []): [Path, unknown][] {
  const { properties, items, anyOf } = (schema ?? {}) as Schema
  if (Array.isArray(anyOf)) return anyOf.flatMap((each) => nestedReferences(each, at))
  if (items) return nestedReferences(items, [...at, 0])
  return Object.entries((properties ?? {}) as Schema).flatMap(([name, each]) => {
    const path = [...at, name]
    if (at.length > 0 && takesId(each)) return [[path, each]] as [Path, unknown][]
    return nestedReferences(each, path)
  })
}

/** The same input with another value at a place, whatever has to be there for it. */
export function withValueAt(input: unknown, [step, ...rest]: Path, value: unknown): Record<string, unknown> {
  const inner = (at: unknown) => (rest.length === 0 ? value : withValueAt(at, rest, value))
  if (typeof step === 'number') {
    const list = Array.isArray(input) ? input : []
    return [inner(list[0]), ...list.slice(1)] as never
  }
  const object = (input ?? {}) as Record<string, unknown>
  return { ...object, [step!]: inner(object[step!]) }
}
