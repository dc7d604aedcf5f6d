import type { TSchema } from 'typebox'
import type { Feed } from '../kernel/feed.ts'
import type { Operation } from '../kernel/operation.ts'
import { CATALOGUE, EventSchema, type EventDefinition } from '../modules/webhooks/index.ts'

type Json = Record<string, unknown>

/** AsyncAPI 3.0 writes schemas in JSON Schema draft 07: named ones stand among the components. */
class Schemas {
  readonly named: Record<string, Json> = {}

  of(schema: TSchema | Json): Json {
    return this.#each(JSON.parse(JSON.stringify(schema))) as Json
  }

  #each(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#each(item))
    if (value === null || typeof value !== 'object') return value
    const { $id, ...rest } = value as Json
    const inside = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, this.#each(each)]))
    if (typeof $id !== 'string') return inside
    this.named[$id] = inside
    return { $ref: `#/components/schemas/${$id}` }
  }
}

const camel = (type: string) => type.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase())
const pascal = (noun: string) => camel(`_${noun}`)
const refs = (kind: string, names: readonly string[]) => names.map((name) => ({ $ref: `#/${kind}/${name}` }))

/** Schema of `data`: configuration holds what reading it answers. */
function dataOf({ data, entity }: EventDefinition, operations: ReadonlyMap<string, Operation>): Json {
  const output = entity && (operations.get(entity.operation)?.output as TSchema | undefined)
  if (!entity || !output) return data as unknown as Json
  // A log keeps old events: what is closed today was another shape then, and will be.
  const { additionalProperties: _, ...open } = output as unknown as Json
  return {
    type: 'object',
    required: [entity.noun],
    properties: { [entity.noun]: { ...open, $id: pascal(entity.noun) } },
  }
}

const LIVE_FRAME: Json = {
  type: 'object',
  description:
    'First a `snapshot`, then events. `after` is the offset of the frame before it on this feed, so that a client can prove that it missed nothing.',
  required: ['type'],
  properties: {
    type: { type: 'string' },
    epoch: { type: 'string' },
    offset: { type: 'integer' },
    after: { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
  },
}
const WEBHOOK_HEADERS: Json = {
  type: 'object',
  required: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  properties: {
    'webhook-id': { type: 'string', description: 'The same in every attempt and repetition' },
    'webhook-timestamp': { type: 'string', description: 'Of this attempt, in seconds since 1970' },
    'webhook-signature': { type: 'string', description: 'Standard Webhooks 1.0.0: `v1,` and HMAC-SHA256 in base64' },
  },
}

/** The AsyncAPI 3.0 document of everything that is told without being asked: webhooks and live feeds. */
export function asyncApiDocument(given: {
  operations: readonly Operation[]
  feeds: readonly Feed[]
  version: string
}): Json {
  const schemas = new Schemas()
  const operations = new Map(given.operations.map((op) => [op.id, op]))
  const envelope = schemas.of(EventSchema)
  const messages = Object.fromEntries(
    Object.entries(CATALOGUE).map(([type, definition]) => [
      camel(type),
      {
        name: type,
        summary: definition.summary,
        contentType: 'application/json',
        headers: { $ref: '#/components/schemas/WebhookHeaders' },
        payload: {
          allOf: [
            { $ref: '#/components/schemas/Event' },
            {
              type: 'object',
              properties: { type: { const: type }, data: schemas.of(dataOf(definition, operations)) },
            },
          ],
        },
      },
    ]),
  )
  const names = Object.keys(messages)
  const feeds = given.feeds.map(({ name, path, summary }) => ({
    name: `live${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    path,
    summary,
    params: [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param!),
  }))
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'SmartQueue events',
      version: given.version,
      description:
        'What happens, told as webhooks to endpoints of your own and as frames on live connections. `GET /api/v1/tenants/{tenant}/events/` reads the same events.',
    },
    defaultContentType: 'application/json',
    channels: {
      webhooks: {
        address: null,
        title: 'Webhooks',
        description: 'Sent by POST to each endpoint that was registered with `webhooks.create`.',
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
      },
      ...Object.fromEntries(
        feeds.map(({ name, path, summary, params }) => [
          name,
          {
            address: path,
            title: summary,
            messages: { frame: { $ref: '#/components/messages/liveFrame' } },
            ...(params.length > 0 && { parameters: Object.fromEntries(params.map((param) => [param, {}])) }),
            bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
          },
        ]),
      ),
    },
    operations: {
      sendWebhook: {
        action: 'send',
        channel: { $ref: '#/channels/webhooks' },
        summary: 'Tell an endpoint what happened',
        messages: refs('channels/webhooks/messages', names),
        bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
      },
      ...Object.fromEntries(
        feeds.map(({ name, summary }) => [
          name,
          {
            action: 'send',
            channel: { $ref: `#/channels/${name}` },
            summary,
            messages: [{ $ref: `#/channels/${name}/messages/frame` }],
          },
        ]),
      ),
    },
    components: {
      messages: { ...messages, liveFrame: { name: 'frame', summary: 'A frame of a live view', payload: LIVE_FRAME } },
      schemas: {
        Event: { ...envelope, additionalProperties: true },
        WebhookHeaders: WEBHOOK_HEADERS,
        ...schemas.named,
      },
    },
  }
}
