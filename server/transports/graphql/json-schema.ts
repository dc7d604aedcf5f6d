import type { TSchema } from 'typebox'

/** What is read of a JSON Schema. */
export interface Json {
  type?: string
  description?: string
  enum?: readonly unknown[]
  const?: unknown
  format?: string
  minimum?: number
  maximum?: number
  default?: unknown
  items?: TSchema
  anyOf?: readonly TSchema[]
  properties?: Readonly<Record<string, TSchema>>
  required?: readonly string[]
}
export const read = (schema: TSchema): Json => schema as Json

const isNull = (schema: TSchema) => read(schema).type === 'null'
/** The schema without its null, and whether it had one. */
export function withoutNull(schema: TSchema): { schema: TSchema; isNullable: boolean } {
  const { anyOf } = read(schema)
  const rest = anyOf?.filter((variant) => !isNull(variant))
  if (!anyOf || rest!.length === anyOf.length) return { schema, isNullable: isNull(schema) }
  return { schema: rest!.length === 1 ? rest![0]! : ({ ...schema, anyOf: rest } as TSchema), isNullable: true }
}

const NAME = /^[_A-Za-z]\w*$/
/** An object with known properties that GraphQL can spell; anything else is a JSON value. */
export function propertiesOf(schema: TSchema): [string, TSchema][] | undefined {
  const { type, properties } = read(schema)
  const entries = Object.entries(properties ?? {})
  return type === 'object' && entries.length > 0 && entries.every(([name]) => NAME.test(name)) ? entries : undefined
}
export const isRequired = (schema: TSchema, name: string): boolean => read(schema).required?.includes(name) ?? false

/** A row's identifier: what `Id` of the kernel declares. */
export const isId = ({ type, minimum, maximum }: Json): boolean =>
  type === 'integer' && minimum === 1 && maximum === Number.MAX_SAFE_INTEGER

export const enumValues = ({ type, enum: values }: Json): readonly string[] | undefined =>
  type === 'string' && values?.length ? (values as readonly string[]) : undefined

/** One text for schemas that accept the same. */
export const fingerprint = (schema: TSchema): string => JSON.stringify(schema)
