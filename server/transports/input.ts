import type { TSchema } from 'typebox'
import { invalid } from '../kernel/errors.ts'
import type { Operation } from '../kernel/operation.ts'

type Convert = (text: string) => unknown
interface Property {
  isArray: boolean
  convert: Convert
}
interface PlainSchema {
  type?: string
  items?: TSchema
  anyOf?: TSchema[]
}

/** What a text means for a schema. Where it means nothing it stays text, and validation refuses it by name. */
function converterOf(schema: TSchema): Convert {
  const { type, anyOf } = schema as PlainSchema
  if (anyOf) {
    const variants = anyOf.map((variant) => ({ type: (variant as PlainSchema).type, convert: converterOf(variant) }))
    return (text) => {
      for (const { type: kind, convert } of variants) {
        const value = convert(text)
        if (kind === 'string' || value !== text) return value
      }
      return text
    }
  }
  if (type === 'integer' || type === 'number') return (text) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text)
  if (type === 'boolean') return (text) => (text === 'true' ? true : text === 'false' ? false : text)
  if (type === 'null') return (text) => (text === 'null' ? null : text)
  if (type === 'object' || type === 'array') return parseJson
  return (text) => text
}
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const tables = new WeakMap<Operation, Map<string, Property>>()
function propertiesOf(op: Operation): Map<string, Property> {
  let table = tables.get(op)
  if (!table) {
    table = new Map()
    for (const [name, schema] of Object.entries(op.input.properties as Record<string, TSchema>)) {
      const array = arrayOf(schema)
      table.set(name, { isArray: array !== undefined, convert: converterOf(array ?? schema) })
    }
    tables.set(op, table)
  }
  return table
}
function arrayOf(schema: TSchema): TSchema | undefined {
  const { type, items, anyOf } = schema as PlainSchema
  return type === 'array' ? items : anyOf?.map(arrayOf).find(Boolean)
}

/** One value from texts (a path or query parameter, a flag), as the operation's schema understands it. */
export function fromText(op: Operation, name: string, value: string | string[]): unknown {
  const property = propertiesOf(op).get(name)
  if (!property) return value
  if (Array.isArray(value)) return property.isArray ? value.map(property.convert) : value
  return property.isArray ? [property.convert(value)] : property.convert(value)
}
export const isArrayInput = (op: Operation, name: string): boolean => propertiesOf(op).get(name)?.isArray ?? false

/**
 * Path, query and body as one flat input. Names the operation does not know are kept, so that validation refuses them;
 * a name that comes from two places at once is refused here.
 */
export function gatherInput(
  op: Operation,
  params: Record<string, string>,
  query: Record<string, string | string[]>,
  body: unknown,
): Record<string, unknown> {
  const input: Record<string, unknown> = {}
  if (body !== undefined && body !== null) {
    if (typeof body !== 'object' || Array.isArray(body)) throw invalid('/', 'type')
    Object.assign(input, body)
  }
  const known = propertiesOf(op)
  for (const name in query) {
    // The language of the answer, for any operation.
    if (name === 'lang' && !known.has(name)) continue
    if (name === '__proto__' || name in input) throw invalid(`/${name}`, 'unknown')
    input[name] = fromText(op, name, query[name]!)
  }
  for (const name in params) {
    // The tenant and a visitor's token open the door; they are input only where an operation asks for them.
    if (!known.has(name)) continue
    if (name in input) throw invalid(`/${name}`, 'unknown')
    input[name] = fromText(op, name, params[name]!)
  }
  return input
}
