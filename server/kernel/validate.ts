import fastJson from 'fast-json-stringify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { AppError, type FieldError } from './errors.ts'
import type { Operation } from './operation.ts'

interface Compiled {
  check(input: unknown): boolean
  errors(input: unknown): FieldError[]
  stringify(output: unknown): string
}
const compiled = new WeakMap<Operation, Compiled>()

/** JSON Schema keyword → code of the message catalogue (`fields.<code>`). */
const CODES: Record<string, string> = {
  required: 'required',
  additionalProperties: 'unknown',
  type: 'type',
  maxLength: 'too_long',
  minLength: 'too_short',
  maxItems: 'too_long',
  minItems: 'too_short',
  enum: 'enum',
  const: 'enum',
  minimum: 'range',
  maximum: 'range',
  format: 'format',
  pattern: 'pattern',
}

function compile(op: Operation): Compiled {
  const input = Compile(op.input)
  return {
    check: (value) => input.Check(value),
    errors: (value) => fieldErrors(input.Errors(value) as unknown as RawError[]),
    stringify: fastJson(withNullable(op.output)),
  }
}

/**
 * What may be null, in the writer's own word for it: a union would be a validator for each of its schemas, compiled when
 * it is first written and asked about every value.
 */
const withNullable = (schema: TSchema): object =>
  JSON.parse(JSON.stringify(schema), (_, value: { anyOf?: { type?: string }[] } | null) => {
    if (!Array.isArray(value?.anyOf)) return value
    const { anyOf, ...rest } = value
    const [given, none] = anyOf
    return anyOf.length === 2 && none!.type === 'null' ? { ...rest, ...given, nullable: true } : value
  }) as object

interface RawError {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
}
function fieldErrors(errors: Iterable<RawError>): FieldError[] {
  const fields = new Map<string, FieldError>()
  for (const { keyword, instancePath, params } of errors) {
    const code = CODES[keyword]
    if (!code) continue
    const names = (params['requiredProperties'] ?? params['additionalProperties'] ?? ['']) as string[]
    for (const name of keyword === 'required' || keyword === 'additionalProperties' ? names : ['']) {
      const path = name ? `${instancePath}/${name}` : instancePath || '/'
      const before = fields.get(path)
      if (!before) fields.set(path, { path, code, ...told(code, params) })
      // One of several constants is refused once for each.
      else if (keyword === 'const' && before.code === code)
        before.params!['values'] += `, ${String(params['allowedValue'])}`
    }
  }
  return [...fields.values()].slice(0, 20)
}

/** What the words of the code name. */
function told(code: string, { limit, allowedValues, allowedValue }: RawError['params']): Pick<FieldError, 'params'> {
  if (code === 'enum') return { params: { values: [allowedValues ?? allowedValue].flat().join(', ') } }
  return typeof limit === 'number' ? { params: { limit } } : {}
}

function of(op: Operation): Compiled {
  let entry = compiled.get(op)
  if (!entry) compiled.set(op, (entry = compile(op)))
  return entry
}

/** No input nests as deep; what follows it down would run out of stack. */
const MOST_DEPTH = 32

/**
 * Pointer to the first text or name that PostgreSQL cannot store (half a character, or the null character), or to what is
 * nested too deep.
 */
function unwritablePath(value: unknown, path: string, depth = 0): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0') ? undefined : path || '/'
  if (value === null || typeof value !== 'object') return undefined
  if (depth === MOST_DEPTH) return path
  for (const [name, child] of Object.entries(value)) {
    const found = unwritablePath(name, path || '/') ?? unwritablePath(child, `${path}/${name}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** Refuses an input that is not exactly what the operation declares, naming each field. */
export function checkInput(op: Operation, input: unknown): void {
  const unwritable = unwritablePath(input, '')
  if (unwritable !== undefined) {
    throw new AppError('invalid_input', 'invalid_input', { fields: [{ path: unwritable, code: 'pattern' }] })
  }
  const schema = of(op)
  if (schema.check(input)) return
  throw new AppError('invalid_input', 'invalid_input', { fields: schema.errors(input) })
}
/** The same for what comes in beside the operations, as a command's own options do. */
export function checkGiven(schema: TSchema, given: unknown): void {
  const compiledSchema = Compile(schema)
  if (compiledSchema.Check(given)) return
  throw new AppError('invalid_input', 'invalid_input', {
    fields: fieldErrors(compiledSchema.Errors(given) as unknown as RawError[]),
  })
}
/** JSON of an output; properties the operation does not declare never leave. */
export const stringifyOutput = (op: Operation, output: unknown): string =>
  op.http.status === 204 ? '' : op.http.contentType ? String(output) : of(op).stringify(output)
