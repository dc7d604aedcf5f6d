import type { Schema } from '../../../../data/schema.ts'

/** How a property is filled in. */
export type Kind =
  | 'text'
  | 'long'
  | 'email'
  | 'password'
  | 'number'
  | 'duration'
  | 'boolean'
  | 'choice'
  | 'choices'
  | 'names'
  | 'date'
  | 'instant'
  | 'minute'
  | 'colour'
  | 'timezone'
  | 'reference'
  | 'references'
  | 'lines'
  | 'numbers'
  | 'rows'
  | 'shares'
  | 'group'
  | 'one'
  | 'hours'

export interface Field {
  name: string
  /** JSON pointer of the value. */
  path: string
  kind: Kind
  /** Without the null of what may be empty. */
  schema: Schema
  isRequired: boolean
  isNullable: boolean
}
export type Values = Record<string, unknown>

const LANGUAGES = ['fr', 'en', 'ar']
/** Nouns that a property can name, by the beginning of its name. */
const NAMED = /^(site|service|queue|counter|user|agent|display|kiosk|work_profile|playlist|media)_ids?$/

export function fieldsOf(schema: Schema, path = '', hidden: readonly string[] = []): Field[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !hidden.includes(name))
    .map(([name, whole]) => {
      const isNullable = Boolean(whole.anyOf?.some(({ type }) => type === 'null'))
      const plain = isNullable ? whole.anyOf!.find(({ type }) => type !== 'null')! : whole
      const isRequired = Boolean(schema.required?.includes(name)) && !isNullable
      return { name, path: `${path}/${name}`, kind: kindOf(name, plain), schema: plain, isRequired, isNullable }
    })
}

function kindOf(name: string, schema: Schema): Kind {
  const { type, format, items, properties } = schema
  if (properties && 'weekly' in properties) return 'hours'
  if (schema.enum) return 'choice'
  if (type === 'boolean') return 'boolean'
  if (type === 'integer' || type === 'number') {
    if (NAMED.test(name)) return 'reference'
    return name.endsWith('_seconds') ? 'duration' : 'number'
  }
  if (type === 'array') {
    const item = items as Schema | undefined
    if (item?.enum) return 'choices'
    if (NAMED.test(name)) return 'references'
    if (item?.type === 'object') return 'rows'
    return item?.type === 'integer' ? 'numbers' : 'lines'
  }
  if (type === 'object') {
    if (!properties) return 'shares'
    if (Object.keys(properties).every((each) => LANGUAGES.includes(each))) return 'names'
    return schema.maxProperties === 1 ? 'one' : 'group'
  }
  if (name === 'timezone') return 'timezone'
  if (/colour/.test(name)) return 'colour'
  if (/password|secret/.test(name)) return 'password'
  if (format === 'email') return 'email'
  if (format === 'date') return 'date'
  if (format === 'date-time') return 'instant'
  if (schema.pattern?.includes('[0-5]\\d$')) return 'minute'
  return (schema.maxLength ?? 0) > 500 ? 'long' : 'text'
}

/** `queue` of `queue_id` and of `queue_ids`. */
export const nounOf = (name: string): string => NAMED.exec(name)?.[1] ?? ''

export function valueAt(values: unknown, path: string): unknown {
  return path
    .split('/')
    .slice(1)
    .reduce<unknown>((value, part) => (value as Values | undefined)?.[part], values)
}
/** A copy with another value at `path`; undefined takes it out. */
export function withValue<T>(values: T, path: string, value: unknown): T {
  const [, first = '', ...rest] = path.split('/')
  const copy = (Array.isArray(values) ? [...(values as unknown[])] : { ...values }) as Values
  const next = rest.length ? withValue(copy[first] ?? {}, `/${rest.join('/')}`, value) : value
  if (next === undefined && !Array.isArray(copy)) delete copy[first]
  else copy[first] = next
  return copy as T
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isEmpty))

/** What was filled in as the server takes it: what is empty is left out below the top, and is null where null means it. */
export function cleaned(fields: readonly Field[], values: Values, isNested = false): Values {
  const out: Values = {}
  for (const field of fields) {
    const value = values[field.name]
    if (value === undefined) continue
    if (value === null) {
      if (field.isNullable) out[field.name] = null
      continue
    }
    if (isEmpty(value) && field.isNullable) out[field.name] = null
    else if (isEmpty(value) && isNested && !field.isRequired) continue
    else out[field.name] = cleanedValue(field, value)
  }
  return out
}
function cleanedValue({ kind, schema }: Field, value: unknown): unknown {
  if (kind === 'group' || kind === 'one' || kind === 'names') return cleaned(fieldsOf(schema), value as Values, true)
  if (kind === 'rows') return (value as Values[]).map((row) => cleaned(fieldsOf(schema.items as Schema), row, true))
  if (kind === 'lines') return (value as string[]).map((line) => line.trim()).filter(Boolean)
  return value
}

/** Code of a refusal by path, as the server would say it; what only the server knows is left to it. */
export function faultsOf(fields: readonly Field[], values: Values): Map<string, string> {
  const faults = new Map<string, string>()
  for (const field of fields) {
    const code = faultOf(field, values[field.name])
    if (code) faults.set(field.path, code)
    else if ((field.kind === 'group' || field.kind === 'one') && !isEmpty(values[field.name]))
      for (const each of faultsOf(fieldsOf(field.schema, field.path), values[field.name] as Values)) faults.set(...each)
  }
  return faults
}
function faultOf({ isRequired, kind, schema }: Field, value: unknown): string | undefined {
  if (isEmpty(value) || value === null) {
    const mustBe = isRequired || (value === '' && (schema.minLength ?? 0) > 0)
    return mustBe && !(kind === 'group' || (kind === 'lines' && !schema.minItems)) ? 'required' : undefined
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'type'
    if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)) return 'range'
  }
  if (typeof value === 'string') {
    if (value.length > (schema.maxLength ?? Infinity)) return 'too_long'
    if (schema.pattern && !new RegExp(schema.pattern, 'u').test(value)) return 'pattern'
    if (kind === 'email' && !/^[^@\s]+@[^@\s]+$/.test(value)) return 'format'
  }
  return undefined
}

/** What a new thing begins with. */
export function initialValues(fields: readonly Field[]): Values {
  return Object.fromEntries(
    fields.flatMap(({ name, schema }) => (schema.default === undefined ? [] : [[name, schema.default]])),
  )
}
