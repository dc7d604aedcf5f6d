import type { TSchema } from 'typebox'
import { isId, propertiesOf, read, withoutNull } from './json-schema.ts'

type Convert = (value: unknown) => unknown
const converters = new WeakMap<TSchema, Convert | null>()

/** GraphQL spells identifiers as text; operations take numbers. What is no number stays, and is refused by name. */
const toId: Convert = (value) => (typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value)

/** What turns coerced arguments into the input an operation declares; null where nothing differs. */
export function converterOf(schema: TSchema): Convert | null {
  let convert = converters.get(schema)
  if (convert === undefined) converters.set(schema, (convert = build(schema)))
  return convert
}

function build(schema: TSchema): Convert | null {
  const { schema: bare } = withoutNull(schema)
  const json = read(bare)
  if (isId(json)) return toId
  if (json.type === 'array') {
    const item = converterOf(json.items!)
    return item && ((value) => (Array.isArray(value) ? value.map(item) : value))
  }
  const properties = propertiesOf(bare)
  if (!properties) return null
  const inner = new Map(properties.flatMap(([name, property]) => [[name, converterOf(property)] as const]))
  return (value) => {
    if (value === null || typeof value !== 'object') return value
    // A plain object again: coercion gives objects without a prototype.
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [name, inner.get(name)?.(child) ?? (child as unknown)]),
    )
  }
}
