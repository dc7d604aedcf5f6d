import type { Operation } from '../../server/kernel/operation.ts'

/** Tables that are not called as the names of inputs would have it. */
const TABLES: Readonly<Record<string, string>> = {
  after: 'tickets',
  calendars: 'calendar_links',
  media: 'media',
  people: 'users',
}

/** What an input's name refers to: a table with ids; undefined where it is none of the tables. */
export function tableOf(op: Operation, name: string, tables: ReadonlySet<string>): string | undefined {
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
