import Type, { type Static } from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { invalid, notFound } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Nullable, Text, Time } from '../../kernel/schema.ts'
import { normalisePhone } from '../customers/index.ts'
import { checkWhole } from './whole.ts'

const Count = Type.Integer({ minimum: 0 })
const Person = Closed({
  customer_id: Id,
  name: Type.String(),
  phone: Nullable(Type.String()),
  email: Nullable(Type.String()),
  tickets: Count,
  appointments: Count,
  messages: Count,
  waiting: Count,
  last_seen_at: Nullable(Time),
})
const MOST = 50

const FIND = `
  select c.id as customer_id, c.name, c.phone, c.email,
    (select count(*)::int from tickets t where t.customer_id = c.id) as tickets,
    (select count(*)::int from appointments a where a.customer_id = c.id) as appointments,
    (select count(*)::int from messages m where m.customer_id = c.id) as messages,
    (select count(*)::int from appointment_waiters w where w.customer_id = c.id) as waiting,
    (select max(t.created_at) from tickets t where t.customer_id = c.id) as last_seen_at
  from customers c where (c.phone = $1 or c.email = $2 or c.external_id = $3 or c.name ilike '%' || $4 || '%')
    and app.is_seen(c.id, $5, $6)
  order by c.id limit ${MOST}`

export const find = operation({
  id: 'privacy.find',
  kind: 'query',
  summary: 'Find all that is known of a person',
  description: `By phone, e-mail, outside key or part of the name; at most ${MOST}. \`strangers\` counts messages to the address that are of no known person.`,
  scope: 'read:customer',
  roles: MANAGERS,
  http: { method: 'GET', path: '/privacy/persons/' },
  input: Closed({
    phone: Type.Optional(Text(40, { minLength: 3 })),
    email: Type.Optional(Text(254, { minLength: 3 })),
    external_id: Type.Optional(Text(200, { minLength: 1 })),
    name: Type.Optional(Text(200, { minLength: 2 })),
  }),
  output: Closed({ persons: Type.Array(Person), strangers: Count }),
  example: { input: { phone: '+33612345678' } },
  async run(ctx, { phone: typed, email, external_id, name }) {
    const phone = typed === undefined ? null : normalisePhone(typed, ctx.tenant)
    const mail = email?.toLowerCase() ?? null
    if (phone === null && mail === null && external_id === undefined && name === undefined)
      throw invalid('/phone', 'required')
    const escaped = name?.replace(/[\\%_]/g, '\\$&') ?? null
    const { siteIds = null, queueIds = null } = ctx.actor
    const persons = await ctx.tx.query<Static<typeof Person>>(FIND, [
      phone,
      mail,
      external_id ?? null,
      escaped,
      siteIds,
      queueIds,
    ])
    const { strangers } = await ctx.tx.one<{ strangers: number }>(
      `select count(*)::int as strangers from messages where customer_id is null and address in ($1::text, $2::text)
         and ($3::bigint[] is null or site_id = any($3)) and ($4::bigint[] is null or queue_id = any($4))`,
      [phone, mail, siteIds, queueIds],
    )
    return { persons, strangers }
  },
})

/** Rows as they are stored, without secrets and what only serves the program. */
const rows = (columns: string, from: string) =>
  `coalesce((select json_agg(to_jsonb(r) - '{${columns}}'::text[] order by r.id) from ${from}), '[]')`
const INTERNAL =
  'tenant_id,token_hash,confirm_hash,device_key,sole_customer_id,series_queue_id,series_day,serial,rank,undo,undo_until'
const EXPORT = `
  select to_jsonb(c) - 'tenant_id' as customer,
    ${rows(INTERNAL, 'tickets r where r.customer_id = c.id')} as tickets,
    ${rows(INTERNAL, 'appointments r where r.customer_id = c.id')} as appointments,
    ${rows(INTERNAL, 'appointment_waiters r where r.customer_id = c.id')} as waiting_list,
    ${rows(
      'tenant_id,dedupe_key,claimed_at,attempt,other_channels,provider_id',
      `messages r where r.customer_id = c.id or r.ticket_id in (select t.id from tickets t where t.customer_id = c.id)
        or r.appointment_id in (select a.id from appointments a where a.customer_id = c.id)
        or r.customer_id is null and r.address in (c.phone, c.email)`,
    )} as messages,
    ${rows('tenant_id,customer_id', 'consent_log r where r.customer_id = c.id')} as consents,
    coalesce((select json_agg(json_build_object('channel', o.channel, 'at', o.created_at)) from message_opt_outs o
      where o.address in (c.phone, c.email)), '[]') as opt_outs
  from customers c where c.id = $1`

const Row = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
const Exported = Closed({
  customer: Row,
  tickets: Type.Array(Row),
  appointments: Type.Array(Row),
  waiting_list: Type.Array(Row),
  messages: Type.Array(Row),
  consents: Type.Array(Row),
  opt_outs: Type.Array(Row),
})

/** Changes nothing; it is a mutation so that the audit trail tells who took a person's data, and when. */
export const exportPerson = operation({
  id: 'privacy.export',
  handsOutPeople: true,
  kind: 'mutation',
  summary: 'Hand out all that is known of a person',
  description: 'As stored, by table, in JSON; without secrets. On record.',
  scope: 'read:customer',
  roles: MANAGERS,
  http: { method: 'POST', path: '/customers/{id}/export/' },
  input: Closed({ id: Id }),
  output: Exported,
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    await checkWhole(ctx, id)
    const row = await ctx.tx.maybe<Static<typeof Exported>>(EXPORT, [id])
    if (!row) throw notFound()
    return row
  },
})

const Consent = Closed({
  purpose: Type.String(),
  /** Null: no longer said either way. */
  is_given: Nullable(Type.Boolean()),
  at: Time,
})
export const consents = operation({
  id: 'privacy.consents',
  kind: 'query',
  summary: 'What a person agreed to, and took back, and when',
  description: 'The last two hundred changes, newest first. It stays, by number alone, when the person is forgotten.',
  scope: 'read:customer',
  roles: MANAGERS,
  http: { method: 'GET', path: '/customers/{id}/consents/' },
  input: Closed({ id: Id }),
  output: Closed({ results: Type.Array(Consent) }),
  example: { input: { id: 1 } },
  async run({ tx }, { id }) {
    const results = await tx.query<Static<typeof Consent>>(
      'select purpose, is_given, at from consent_log where customer_id = $1 order by id desc limit 200',
      [id],
    )
    if (results.length === 0) await tx.one('select id from customers where id = $1', [id])
    return { results }
  },
})
