import Type, { type Static } from 'typebox'
import { ROLES } from '../access.ts'
import { listPage, type Condition, type Ordering } from '../list.ts'
import { operation, type Operation } from '../operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Text, Time } from '../schema.ts'

const Entry = Closed({
  seq: Id,
  at: Time,
  principal: Type.String(),
  role: Enum(ROLES),
  operation: Type.String(),
  subject: Type.String({ description: '`ticket:12`; `tenant` is the organisation itself' }),
  details: Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description: 'given, withheld (names only), changes {field: [before, after]}, status [from, to]',
  }),
  request_id: Nullable(Type.String()),
  address: Nullable(Type.String({ description: 'Network, /24 or /56' })),
  user_agent: Nullable(Type.String({ description: 'Family only' })),
  link: Nullable(Type.String({ description: 'Hash that chains the rows of a transaction to all before; hexadecimal' })),
})
type Entry = Static<typeof Entry>

const SELECT = `select seq, at, principal, role, operation, subject, details, request_id, address, user_agent,
  encode(link, 'hex') as link from audit_entries`
const seq = { column: 'seq', type: 'integer' } as const
const orderings: Record<string, Ordering> = { '-seq': [{ ...seq, descending: true }], seq: [seq] }

const filters = {
  principal: Type.Optional(Text(100, { minLength: 1 })),
  role: Type.Optional(Enum(ROLES)),
  operation: Type.Optional(Text(100, { minLength: 1 })),
  subject: Type.Optional(Text(100, { minLength: 1 })),
  created_after: Type.Optional(Time),
  created_before: Type.Optional(Time),
}
const CONDITIONS: Record<keyof typeof filters, string> = {
  principal: 'principal = $1',
  role: 'role = $1',
  operation: 'operation = $1',
  subject: 'subject = $1',
  created_after: 'at >= $1::timestamptz',
  created_before: 'at < $1::timestamptz',
}
const conditionsOf = (input: { [name in keyof typeof filters]?: string | undefined }): Condition[] =>
  (Object.keys(CONDITIONS) as (keyof typeof filters)[]).flatMap((name) =>
    input[name] === undefined ? [] : [{ text: CONDITIONS[name], values: [input[name]] }],
  )

/** The trail is for administrators: it names who did what to whom. */
const readers = { scope: 'admin:tenant', roles: ['admin', 'api_key', 'system'] } as const

const list = operation({
  ...readers,
  id: 'audit.list',
  kind: 'query',
  summary: 'Who did what',
  description:
    'One row for each change, newest first. `smartqueue audit verify` proves that none was altered or removed.',
  http: { method: 'GET', path: '/audit/' },
  input: Closed({
    ...PageInput,
    ordering: Type.Optional(Enum(Object.keys(orderings), { default: '-seq' })),
    ...filters,
  }),
  output: Page(Entry),
  example: { input: { limit: 20 } },
  pool: 'reports',
  run(ctx, { ordering = '-seq', limit, cursor, ...wanted }) {
    const page = { ordering, ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) }
    return listPage<Entry>(ctx.tx, SELECT, orderings, page, conditionsOf(wanted))
  },
})

const EXPORT_MAX = 10_000

const exportLines = operation({
  ...readers,
  id: 'audit.export',
  kind: 'query',
  summary: 'Export the audit trail',
  description: `JSON lines in order, at most ${EXPORT_MAX} of them; ask again \`after\` the last \`seq\` until nothing comes.`,
  http: { method: 'GET', path: '/audit/export/', contentType: 'application/x-ndjson; charset=utf-8' },
  input: Closed({
    after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: EXPORT_MAX, default: EXPORT_MAX })),
  }),
  output: Type.String(),
  example: { input: { after: 0 } },
  pool: 'reports',
  async run(ctx, { after = 0, limit = EXPORT_MAX }) {
    const entries = await ctx.tx.query<Entry>(`${SELECT} where seq > $1 order by seq limit $2`, [after, limit])
    return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
  },
})

export const operations: readonly Operation[] = [list, exportLines]
