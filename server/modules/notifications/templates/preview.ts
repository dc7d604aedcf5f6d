import Type from 'typebox'
import { MANAGERS, STAFF } from '../../../kernel/access.ts'
import { operation, type Operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Locale, Nullable } from '../../../kernel/schema.ts'
import { MESSAGE_CHANNELS, MESSAGE_EVENTS, PLACEHOLDERS, SAMPLE } from '../vocabulary.ts'
import { checkText, render } from './compile.ts'
import { Body, Channel, Event, Subject } from './resource.ts'
import { segmentsOf } from './segments.ts'
import { ownTemplates, textOf, type Template } from './text.ts'

const Price = Closed({
  channel: Channel,
  price_micros: Type.Integer({ minimum: 0, maximum: 100_000_000 }),
  currency: Type.String({ pattern: '^[A-Z]{3}$' }),
})
type Price = Type.Static<typeof Price>
const PRICES = 'select channel, price_micros, currency from message_prices order by channel'

const preview = operation({
  id: 'templates.preview',
  kind: 'query',
  summary: 'A message as people would get it, and what it would cost',
  description: 'With the text that is given, else with the one in force. Nothing is stored or sent.',
  scope: 'read:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/templates/preview/' },
  input: Closed({
    event: Event,
    channel: Channel,
    language: Locale,
    subject: Type.Optional(Subject),
    body: Type.Optional(Body),
    /** People before, or minutes left: plurals follow it. */
    count: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  }),
  output: Closed({
    subject: Type.String(),
    body: Type.String(),
    encoding: Enum(['gsm7', 'ucs2', 'utf8']),
    units: Type.Integer(),
    segments: Type.Integer(),
    /** Millionths of the currency; null where the organisation gave no price. */
    cost_micros: Nullable(Type.Integer()),
    currency: Nullable(Type.String()),
  }),
  example: { input: { event: 'position', channel: 'sms', language: 'ar', count: 3 } },
  async run(ctx, { event, channel, language, subject, body, count }) {
    const values = {
      ...SAMPLE,
      tenant: ctx.tenant.name,
      ...(count !== undefined && { position: count, minutes: count }),
    }
    const shown = textOf(await ownTemplates(ctx.tx), event, channel, language, values)
    if (subject !== undefined) checkText(event, subject, language, '/subject')
    if (body !== undefined) checkText(event, body, language, '/body')
    const text = {
      subject: subject === undefined ? shown.subject : render(subject, language, values),
      body: body === undefined ? shown.body : render(body, language, values),
    }
    const size = segmentsOf(channel, text.body)
    const price = (await ctx.tx.query<Price>(PRICES)).find((one) => one.channel === channel)
    return {
      ...text,
      ...size,
      cost_micros: price ? price.price_micros * size.segments : null,
      currency: price?.currency ?? null,
    }
  },
})

const Known = Closed({
  event: Event,
  placeholders: Type.Array(Type.String()),
  texts: Type.Array(
    Closed({ channel: Channel, language: Locale, subject: Type.String(), body: Type.String(), is_own: Type.Boolean() }),
  ),
})
const list = operation({
  id: 'templates.events',
  kind: 'query',
  summary: 'What messages there are, what they may speak of, and the texts in force',
  description: 'Texts are shown with sample values. `is_own`: the organisation’s, not the program’s.',
  scope: 'read:queue',
  roles: STAFF,
  http: { method: 'GET', path: '/message-events/' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Known) }),
  example: { input: {} },
  async run(ctx) {
    const own = await ownTemplates(ctx.tx)
    const isOwn = (known: Pick<Template, 'event' | 'channel' | 'language'>) =>
      own.some((one) => one.event === known.event && one.channel === known.channel && one.language === known.language)
    return {
      results: MESSAGE_EVENTS.map((event) => ({
        event,
        placeholders: [...PLACEHOLDERS[event]],
        texts: MESSAGE_CHANNELS.flatMap((channel) =>
          (['fr', 'en', 'ar'] as const).map((language) => ({
            channel,
            language,
            ...textOf(own, event, channel, language, { ...SAMPLE, tenant: ctx.tenant.name }),
            is_own: isOwn({ event, channel, language }),
          })),
        ),
      })),
    }
  },
})

const prices = operation({
  id: 'templates.prices',
  kind: 'query',
  summary: 'What messages cost by channel',
  scope: 'read:queue',
  roles: MANAGERS,
  http: { method: 'GET', path: '/message-prices/' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Price) }),
  example: { input: {} },
  run: async ({ tx }) => ({ results: await tx.query<Price>(PRICES) }),
})

const setPrice = operation({
  id: 'templates.setPrice',
  kind: 'mutation',
  summary: 'Say what a message costs: a segment of SMS, one of the others',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'PUT', path: '/message-prices/{channel}/' },
  input: Price,
  output: Price,
  example: { input: { channel: 'sms', price_micros: 45_000, currency: 'EUR' } },
  async run(ctx, { channel, price_micros, currency }) {
    const before = (await ctx.tx.query<Price>(PRICES)).find((one) => one.channel === channel) ?? null
    const price = await ctx.tx.one<Price>(
      `insert into message_prices (channel, price_micros, currency) values ($1, $2, $3)
       on conflict (tenant_id, channel) do update
       set price_micros = excluded.price_micros, currency = excluded.currency, updated_at = now()
       returning channel, price_micros, currency`,
      [channel, price_micros, currency],
    )
    ctx.record({ before, after: price })
    ctx.emit({ type: 'message_price.updated', site_id: 0, data: { price } })
    return price
  },
})

export const templateOperations: readonly Operation[] = [preview, list, prices, setPrice]
