import Type, { type Static, type TSchema } from 'typebox'

/** Building blocks of every operation's input and output; one vocabulary from the table's column to the wire. */
export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
/**
 * Years 1000 to 2999: what PostgreSQL, Temporal and JSON all write with four digits, also after rounding. Offsets below 16
 * hours: PostgreSQL takes no others, and no place on earth has them. Nanoseconds at most: Temporal takes no more digits.
 */
export const Time = Type.String({
  format: 'date-time',
  pattern: '^[12]\\d{3}-[^.]*(?:\\.\\d{1,9})?(?:[Zz]|[+-](?:0\\d|1[0-5]):\\d{2})$',
  description: 'RFC 3339, UTC',
})
/** The same years; PostgreSQL has no year 0. */
export const Day = Type.String({ format: 'date', pattern: '^[12]\\d{3}-' })
export const Seconds = Type.Integer({ minimum: 0, maximum: 31_622_400 })

/** Text without control characters other than tab and newline: PostgreSQL refuses \u0000 and nobody needs the rest. */
export const Text = (maxLength: number, options: { minLength?: number } = {}) =>
  Type.String({ maxLength, pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*$', ...options })
export const Name = Text(200, { minLength: 1 })
export const Slug = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$', maxLength: 63 })
export const Locale = Enum(['fr', 'en', 'ar'])
export type Locale = Static<typeof Locale>

/** A closed set of strings as JSON Schema `enum` (a union of literals makes poor OpenAPI and poor clients). */
export function Enum<const V extends readonly string[]>(values: V, options: Record<string, unknown> = {}) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...options })
}
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
/** The closed object every input and output uses: unknown properties are refused, not ignored. */
export const Closed = <P extends Record<string, TSchema>>(properties: P, options: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })

/** A page of a list: opaque cursors, `null` at the ends. */
export const Page = <T extends TSchema>(item: T) =>
  Closed({ results: Type.Array(item), next: Nullable(Type.String()), previous: Nullable(Type.String()) })
export const PageInput = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  /** Holds the sort key of a row, at worst a name of 200 characters in UTF-8 in base64. */
  cursor: Type.Optional(Type.String({ maxLength: 2000 })),
}
