import Type, { type Static } from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import type { Database } from '../../../kernel/db/types.ts'
import { conflict, notFound } from '../../../kernel/errors.ts'
import { hashToken, newVisitorToken, tenantOfToken } from '../../../kernel/ids.ts'
import { listPage } from '../../../kernel/list.ts'
import { operation, type Operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Time } from '../../../kernel/schema.ts'
import { periodOf, wantedFields } from '../reports/period.ts'
import { CONTENT_TYPES, FORMATS, type Format } from './formats/index.ts'

export const EXPORT = 'analytics.export'
/** Files of an organisation that are being written at once. */
const MOST_AT_WORK = 3
const LINK_MINUTES = 10

const Export = Closed({
  id: Id,
  kind: Enum(['tickets', 'queue_metrics']),
  format: Enum(FORMATS),
  from: Type.String({ format: 'date' }),
  to: Type.String({ format: 'date' }),
  site_id: Nullable(Id),
  queue_id: Nullable(Id),
  service_id: Nullable(Id),
  status: Enum(['queued', 'running', 'done', 'failed']),
  rows_done: Type.Integer({ minimum: 0 }),
  /** Known once it runs. */
  rows_total: Nullable(Type.Integer({ minimum: 0 })),
  size_bytes: Type.Integer({ minimum: 0 }),
  created_at: Time,
  finished_at: Nullable(Time),
  expires_at: Time,
})
type Export = Static<typeof Export>
const COLUMNS = Object.keys(Export.properties)
  .map((name) => (name === 'from' || name === 'to' ? `"${name}"` : name))
  .join(', ')

const PLACES = { sites: 'site_id', queues: 'queue_id', services: 'service_id' } as const

const shared = { scope: 'read:analytics', roles: MANAGERS } as const
const byId = { input: Closed({ id: Id }), example: { input: { id: 1 } } }

const create = operation({
  ...shared,
  id: 'exports.create',
  handsOutPeople: true,
  kind: 'mutation',
  summary: 'Have tickets or metrics of a period written to a file',
  description: 'CSV, XLSX or Parquet. `exports.get` tells how far it is, `exports.link` gives the address of the file.',
  http: { method: 'POST', path: '/exports/', status: 202 },
  input: Closed({ kind: Export.properties.kind, format: Export.properties.format, ...wantedFields }),
  output: Export,
  example: { input: { kind: 'tickets', format: 'xlsx', from: '2026-11-01', to: '2026-11-30' } },
  async run(ctx, { kind, format, ...input }) {
    const { from, to } = await periodOf(ctx, input)
    for (const table of ['sites', 'queues', 'services'] as const) {
      const wanted = input[PLACES[table]]
      if (wanted !== undefined) await ctx.tx.one(`select from ${table} where id = $1`, [wanted])
    }
    const { count } = await ctx.tx.one<{ count: number }>(
      `select count(*)::int as count from exports where status in ('queued', 'running') and created_at > now() - interval '1 day'`,
    )
    if (count >= MOST_AT_WORK) throw conflict('exports_busy')
    const row = await ctx.tx.one<Export>(
      `insert into exports (kind, format, "from", "to", site_id, queue_id, service_id, locale, requested_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${COLUMNS}`,
      [
        kind,
        format,
        from,
        to,
        input.site_id ?? null,
        input.queue_id ?? null,
        input.service_id ?? null,
        ctx.locale,
        ctx.actor.principal,
      ],
    )
    await ctx.enqueue(EXPORT, { export_id: row.id })
    return row
  },
})

const list = operation({
  ...shared,
  id: 'exports.list',
  kind: 'query',
  summary: 'List the files one has asked for',
  http: { method: 'GET', path: '/exports/' },
  input: Closed(PageInput),
  output: Page(Export),
  example: { input: {} },
  run: (ctx, page) =>
    listPage<Export>(
      ctx.tx,
      `select ${COLUMNS} from exports`,
      { '-id': [{ column: 'id', type: 'integer', descending: true }] },
      { ...page, ordering: '-id' },
      [{ text: 'requested_by = $1', values: [ctx.actor.principal] }],
    ),
})

const get = operation({
  ...shared,
  ...byId,
  id: 'exports.get',
  kind: 'query',
  summary: 'How far a file is',
  http: { method: 'GET', path: '/exports/{id}/' },
  output: Export,
  run: (ctx, { id }) =>
    ctx.tx.one<Export>(`select ${COLUMNS} from exports where id = $1 and requested_by = $2`, [id, ctx.actor.principal]),
})

const link = operation({
  ...shared,
  ...byId,
  id: 'exports.link',
  handsOutPeople: true,
  kind: 'mutation',
  summary: 'Give the address of a finished file',
  description: 'Whoever has it can download the file for ten minutes; asking again makes another and ends the first.',
  http: { method: 'POST', path: '/exports/{id}/link/' },
  output: Closed({ url: Type.String(), expires_at: Time }),
  answersSecret: true,
  async run(ctx, { id }) {
    const token = newVisitorToken(ctx.tenant.id)
    const { status } = await ctx.tx.one<Export>('select status from exports where id = $1 and requested_by = $2', [
      id,
      ctx.actor.principal,
    ])
    if (status !== 'done') throw conflict('export_not_ready')
    const { expires_at } = await ctx.tx.one<{ expires_at: string }>(
      `update exports set token_hash = $2, token_expires_at = now() + make_interval(mins => ${LINK_MINUTES})
       where id = $1 returning token_expires_at as expires_at`,
      [id, hashToken(token)],
    )
    return { url: ctx.url(`/exports/${token}`), expires_at }
  },
})

const remove = operation({
  ...shared,
  ...byId,
  id: 'exports.delete',
  kind: 'mutation',
  summary: 'Delete a file',
  http: { method: 'DELETE', path: '/exports/{id}/', status: 204 },
  output: Type.Null(),
  async run(ctx, { id }) {
    const gone = await ctx.tx.maybe('delete from exports where id = $1 and requested_by = $2 returning id', [
      id,
      ctx.actor.principal,
    ])
    if (!gone) throw notFound()
    return null
  },
})

export const exportOperations: readonly Operation[] = [create, list, get, link, remove]

/** A file as it is sent: piece by piece, each read when the one before has left. */
export interface ExportFile {
  name: string
  type: string
  size: number
  pieces(): AsyncGenerator<Uint8Array>
}

/** The file behind a link that still counts. */
export async function exportFile(db: Database, token: string): Promise<ExportFile | undefined> {
  const tenantId = tenantOfToken(token)
  if (tenantId === undefined) return undefined
  const reader = db.reader(tenantId)
  const found = await reader.maybe<{
    id: number
    kind: string
    format: Format
    from: string
    to: string
    size_bytes: number
  }>(
    `select id, kind, format, "from", "to", size_bytes from exports
     where token_hash = $1 and token_expires_at > now() and status = 'done'`,
    [hashToken(token)],
  )
  if (!found) return undefined
  const { id, kind, format, from, to, size_bytes } = found
  async function* pieces() {
    for (let n = 0; ; n++) {
      const piece = await reader.maybe<{ bytes: Uint8Array }>(
        'select bytes from export_chunks where export_id = $1 and n = $2',
        [id, n],
      )
      if (!piece) return
      yield piece.bytes
    }
  }
  return { name: `${kind}-${from}-${to}.${format}`, type: CONTENT_TYPES[format], size: size_bytes, pieces }
}
