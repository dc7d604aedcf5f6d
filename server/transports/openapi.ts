import type { TSchema } from 'typebox'
import { httpStatus, type ErrorKind } from '../kernel/errors.ts'
import { keepsAnswer } from '../kernel/idempotency.ts'
import type { Operation } from '../kernel/operation.ts'
import { paramsOf, routesOf, type Route } from './routes.ts'

type Json = Record<string, unknown>

const PROBLEM: Json = {
  type: 'object',
  description: 'RFC 9457. `code` is stable; the texts are in the caller’s language.',
  required: ['type', 'title', 'status', 'detail', 'code', 'errors', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'code', 'detail'],
        properties: {
          path: { type: 'string', description: 'JSON pointer into the input' },
          code: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
    request_id: { type: 'string' },
    challenge: {
      type: 'object',
      description: 'Of `challenge_required`: what to solve, as `tickets.challenge` answers',
    },
  },
}

const REFUSALS: Partial<Record<ErrorKind, string>> = {
  invalid_input: 'The input is not what the operation declares; `errors` names each field.',
  unauthorized: 'No credential, or one that is not valid any more.',
  forbidden: 'The role or the scope does not allow it.',
  not_found: 'Missing, or another organisation’s: the answer is the same.',
  conflict: 'The state does not allow it; nothing was changed.',
  precondition_failed: 'Somebody changed it since: read it again.',
  too_large: 'The body is larger than 64 kB.',
  unsupported_media_type: 'The body is not JSON.',
  unprocessable: 'The Idempotency-Key was used for another input.',
  limit_exceeded: 'Too many requests; see Retry-After.',
  internal: 'A failure of the server; quote `request_id`.',
  unavailable: 'Busy or restarting; the request may be repeated with the same Idempotency-Key.',
}

const HEADERS: Record<string, Json> = {
  Tenant: {
    name: 'X-Tenant',
    in: 'header',
    description: 'Slug; default the credential’s own',
    schema: { type: 'string' },
  },
  Language: {
    name: 'Accept-Language',
    in: 'header',
    description: 'Language of texts: fr, en or ar',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Repeating a request with the same key repeats its answer for 24 hours, marked `Idempotent-Replayed: true`',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  ChallengeSolution: {
    name: 'Challenge-Solution',
    in: 'header',
    description: 'Answer to the challenge of a `challenge_required`: see `tickets.challenge`',
    schema: { type: 'string', maxLength: 1000 },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'ETag of the version being changed',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETag of the version at hand; answers 304',
    schema: { type: 'string' },
  },
}
const parameterRef = (name: string): Json => ({ $ref: `#/components/parameters/${name}` })

/** Schemas that are named: by `$id`, or as an operation's answer. Equal schemas become references to them. */
class Components {
  readonly schemas: Record<string, Json> = { Problem: PROBLEM }
  #nameOf = new Map<string, string>()
  #described = new WeakMap<object, Json>()

  constructor(operations: readonly Operation[]) {
    const named = operations.map(({ id, output }) => ({ id, schema: plain(output as TSchema) }))
    for (const { id, schema } of named)
      if (id.endsWith('.get')) this.#name(singular(id.slice(0, -'.get'.length)), schema)
    for (const { id, schema } of named) this.#name(pascal(id), schema)
  }

  #name(name: string, schema: Json) {
    if (
      schema['type'] !== 'object' ||
      schema['$id'] ||
      this.#nameOf.has(JSON.stringify(schema)) ||
      name in this.schemas
    )
      return
    this.#nameOf.set(JSON.stringify(schema), name)
    this.schemas[name] = this.#inside(schema)
  }

  /** The schema with named parts replaced by references; the same object each time, because an operation has several routes. */
  of(schema: TSchema | Json): Json {
    const known = this.#described.get(schema)
    if (known) return known
    const described = this.#reference(plain(schema))
    this.#described.set(schema, described)
    return described
  }

  #reference(schema: Json): Json {
    if (typeof schema['$id'] === 'string') {
      const { $id, ...rest } = schema
      this.schemas[$id as string] ??= this.#inside(rest)
      return { $ref: `#/components/schemas/${$id as string}` }
    }
    const name = this.#nameOf.get(JSON.stringify(schema))
    return name ? { $ref: `#/components/schemas/${name}` } : this.#inside(schema)
  }

  #inside(schema: Json): Json {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.#each(value)]))
  }
  #each(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#each(item))
    return value !== null && typeof value === 'object' ? this.#reference(value as Json) : value
  }
}
/** A copy without what JSON cannot say. Most schemas have no fixed row, and looking at each value takes ten times as long. */
function plain(schema: TSchema | Json): Json {
  const text = JSON.stringify(schema)
  return JSON.parse(text, text.includes('"items":[') ? inDialect : undefined) as Json
}
/** OpenAPI 3.1 speaks JSON Schema 2020-12, where a fixed row of items is `prefixItems`; what checks inputs writes it as before. */
function inDialect(_name: string, value: unknown): unknown {
  const { items, additionalItems, ...rest } = (value ?? {}) as Json
  return Array.isArray(items) ? { ...rest, prefixItems: items, items: additionalItems ?? true } : value
}
const pascal = (text: string) => text.replace(/(?:^|[-_.])(\w)/g, (_, letter: string) => letter.toUpperCase())
const singular = (noun: string) => pascal(noun.replace(/ies$/, 'y').replace(/s$/, ''))

/** The OpenAPI 3.1 document of everything that REST answers, from the registry alone. */
export function openApiDocument(operations: readonly Operation[], info: { version: string }): Json {
  const components = new Components(operations)
  const paths: Record<string, Record<string, Json>> = {}
  const requestBodies: Record<string, Json> = {}
  for (const op of operations) {
    const body = requestBody(op, components)
    if (body) requestBodies[op.id] = body
    for (const [i, route] of routesOf(op).entries()) {
      const item = (paths[route.path] ??= {})
      item[route.method.toLowerCase()] = operationObject(op, route, i, components, op.id in requestBodies)
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'SmartQueue',
      version: info.version,
      description:
        'Queues, tickets, live waiting times, calling and displays. Every path also answers without its trailing slash; ' +
        'paths below `/api/v1/tenants/{tenant}` also below `/api/v1`, where the organisation is that of the credential.',
      license: { name: 'Proprietary', url: '/' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(tagOf))].toSorted().map((name) => ({ name })),
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: Object.fromEntries(Object.entries(components.schemas).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      parameters: HEADERS,
      requestBodies,
      responses: Object.fromEntries(
        Object.entries(REFUSALS).map(([kind, description]) => [
          kind,
          {
            description,
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        ]),
      ),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

const tagOf = (op: Operation): string => op.id.split('.')[0]!

function operationObject(op: Operation, route: Route, index: number, components: Components, isBodied: boolean): Json {
  const { method, entrance } = route
  const properties = op.input.properties as Record<string, TSchema>
  const required = new Set((op.input as { required?: string[] }).required)
  const inPath = paramsOf(route.path)
  const rest = Object.keys(properties).filter((name) => !inPath.includes(name))
  const hasBody = method !== 'GET' && method !== 'DELETE'
  const example = op.example.input as Json

  const parameters: Json[] = inPath.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: properties[name] ? components.of(properties[name]) : { type: 'string' },
    ...(name in example && { example: example[name] }),
  }))
  if (!hasBody) {
    for (const name of rest) {
      const schema = components.of(properties[name]!)
      parameters.push({
        name,
        in: 'query',
        required: required.has(name),
        schema,
        ...(name in example && { example: example[name] }),
      })
    }
  }
  if (entrance === 'own_tenant') parameters.push(parameterRef('Tenant'))
  parameters.push(parameterRef('Language'))
  if (method === 'POST' && keepsAnswer(op)) parameters.push(parameterRef('IdempotencyKey'))
  if (op.mayAskForWork) parameters.push(parameterRef('ChallengeSolution'))
  if (method === 'GET') parameters.push(parameterRef('IfNoneMatch'))
  if (method === 'PATCH' || method === 'DELETE') parameters.push(parameterRef('IfMatch'))

  const needsToken = entrance !== 'public' && entrance !== 'visitor' && !op.roles.includes('anonymous')
  const scopes = op.scope ? ` Scope \`${op.scope}\`.` : ''
  return {
    operationId: index === 0 ? op.id : `${op.id}.${index}`,
    summary: op.summary,
    description: `${op.description ? `${op.description}\n\n` : ''}Roles: ${op.roles.join(', ')}.${scopes}`,
    tags: [tagOf(op)],
    ...(index > 0 && { 'x-scalar-ignore': true }),
    ...(op.deprecated && { deprecated: true }),
    security: needsToken ? [{ bearer: [] }] : [],
    parameters,
    ...(isBodied && { requestBody: { $ref: `#/components/requestBodies/${op.id}` } }),
    responses: responses(op, route, needsToken, components),
  }
}

function requestBody(op: Operation, components: Components): Json | undefined {
  const { method, path } = op.http
  const properties = op.input.properties as Record<string, TSchema>
  const example = op.example.input as Json
  const inPath = paramsOf(path)
  const names = Object.keys(properties).filter((name) => !inPath.includes(name))
  if (method === 'GET' || method === 'DELETE' || names.length === 0) return undefined
  const needed = names.filter((name) => (op.input as { required?: string[] }).required?.includes(name))
  const schema = {
    type: 'object',
    additionalProperties: false,
    ...(needed.length > 0 && { required: needed }),
    properties: Object.fromEntries(names.map((name) => [name, components.of(properties[name]!)])),
  }
  const sent = Object.fromEntries(names.filter((name) => name in example).map((name) => [name, example[name]]))
  return { required: needed.length > 0, content: { 'application/json': { schema, example: sent } } }
}

function responses(op: Operation, { method }: Route, needsToken: boolean, components: Components): Json {
  const status = op.http.status ?? 200
  const kinds: ErrorKind[] = ['invalid_input', 'forbidden', 'not_found', 'limit_exceeded', 'internal', 'unavailable']
  if (needsToken) kinds.push('unauthorized')
  if (op.kind === 'mutation' || method === 'POST') kinds.push('conflict')
  if (method === 'PATCH' || method === 'DELETE') kinds.push('precondition_failed')
  if (method !== 'GET') kinds.push('too_large', 'unsupported_media_type')
  if (method === 'POST') kinds.push('unprocessable')
  if (op.scope === null && op.roles.includes('anonymous')) kinds.push('unauthorized')
  const refusals = [...new Set(kinds)].map(
    (kind) => [String(httpStatus[kind]), { $ref: `#/components/responses/${kind}` }] as const,
  )
  const success = {
    description: status === 204 ? 'Done' : 'The answer',
    ...(status !== 204 && {
      content: { [op.http.contentType ?? 'application/json']: { schema: components.of(op.output as TSchema) } },
    }),
  }
  return Object.fromEntries([
    [String(status), success],
    ...(method === 'GET' ? [['304', { description: 'Not changed since the ETag' }] as const] : []),
    ...refusals.toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ])
}
