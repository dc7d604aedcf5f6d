import Type, { type Static } from 'typebox'
import { ADMINS, checkProof, type Actor } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { translate } from '../../kernel/i18n.ts'
import { listPage } from '../../kernel/list.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Page, PageInput, Time } from '../../kernel/schema.ts'
import { KINDS, WAYS } from './kinds.ts'
import { inputOf, readTable } from './parse.ts'
import type { RowError } from './rows.ts'

export const WORK = 'imports.work'
const MOST_BYTES = 4 * 1024 * 1024

const Count = Type.Integer({ minimum: 0 })
const STATES = ['new', 'valid', 'invalid', 'done', 'failed', 'undone', 'kept'] as const
const Import = Closed({
  id: Id,
  kind: Enum(KINDS),
  status: Enum(['checking', 'checked', 'running', 'done', 'undoing', 'undone']),
  rows_total: Count,
  /** Rows by what became of them. */
  rows: Closed(
    Object.fromEntries(STATES.map((state) => [state, Count])) as Record<(typeof STATES)[number], typeof Count>,
  ),
  requested_by: Type.String(),
  created_at: Time,
  finished_at: Nullable(Time),
})
type Import = Static<typeof Import>

const SELECT = `
  select i.id, i.kind, i.status, i.rows_total, i.requested_by, i.created_at, i.finished_at,
    json_build_object(${STATES.map((state) => `'${state}', count(r.line) filter (where r.status = '${state}')`).join(', ')}) as rows
  from imports i left join import_rows r on r.tenant_id = i.tenant_id and r.import_id = i.id`
const byIdOf = (tx: Tx, id: number) => tx.one<Import>(`${SELECT} where i.id = $1 group by i.tenant_id, i.id`, [id])

/** Rows are of every place: who is limited to some sees the own tables alone. Null: sees all. */
const onlyOf = ({ siteIds, queueIds, principal }: Actor): string | null => (siteIds || queueIds ? principal : null)
const SEEN = 'where id = $1 and ($2::text is null or requested_by = $2)'

const shared = { scope: 'admin:tenant', roles: ADMINS } as const
const byId = { input: Closed({ id: Id }), example: { input: { id: 1 } }, output: Import }

/** What a job needs to act as whoever asked. */
const kept = ({ role, principal, tenantId, userId, scopes, siteIds, queueIds }: Actor) => ({
  role,
  principal,
  tenantId,
  userId,
  scopes: [...scopes],
  ...(siteIds && { siteIds }),
  ...(queueIds && { queueIds }),
})

const create = operation({
  ...shared,
  id: 'imports.create',
  kind: 'mutation',
  summary: 'Bring a table of customers, services, sites, users or appointments, and have each row tried without effect',
  description:
    'The first row has the names of the fields, as the operation that makes such a thing has them (`customer.name` within an object), or others with `mapping`. A job tries each row; `imports.rows` shows what it found, `imports.run` does it. At most 5000 rows.',
  http: { method: 'POST', path: '/imports/', status: 202, maxBodyBytes: Math.ceil(MOST_BYTES * 1.4) },
  input: Closed({
    kind: Enum(KINDS),
    format: Enum(['csv', 'xlsx']),
    /** The file in base64. */
    content: Type.String({
      minLength: 1,
      maxLength: Math.ceil((MOST_BYTES * 4) / 3),
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
    }),
    /** Name in the file → field; '' leaves a column out. */
    mapping: Type.Optional(
      Type.Record(Type.String({ maxLength: 200 }), Type.String({ maxLength: 100 }), { maxProperties: 50 }),
    ),
  }),
  output: Import,
  example: { input: { kind: 'customers', format: 'csv', content: 'bmFtZSxwaG9uZQpTYW1pcmEsKzMzNjEyMzQ1Njc4Cg==' } },
  async run(ctx, { kind, format, content, mapping = {} }) {
    const { names, rows } = await readTable(format, Buffer.from(content, 'base64'))
    const { create: op } = WAYS[kind]
    const unknown = names.filter((name) => {
      const [first = ''] = (mapping[name] ?? name).split('.')
      return first !== '' && !Object.hasOwn(op.input.properties as object, first)
    })
    if (unknown.length > 0) throw invalid(`/content/${unknown[0]!.slice(0, 100)}`, 'unknown')
    const inputs = rows.map((row, i) => ({ line: i + 2, input: inputOf(op, names, row, mapping) }))
    const { id } = await ctx.tx.one<{ id: number }>(
      'insert into imports (kind, rows_total, requested_by, actor) values ($1, $2, $3, $4) returning id',
      [kind, inputs.length, ctx.actor.principal, JSON.stringify(kept(ctx.actor))],
    )
    await ctx.tx.query(
      `insert into import_rows (import_id, line, input) select $1, r.line, r.input from jsonb_to_recordset($2::jsonb) as r(line int, input jsonb)`,
      [id, JSON.stringify(inputs)],
    )
    await ctx.enqueue(WORK, { import_id: id, act: 'check' })
    return byIdOf(ctx.tx, id)
  },
})

const list = operation({
  ...shared,
  id: 'imports.list',
  kind: 'query',
  summary: 'List what was brought',
  http: { method: 'GET', path: '/imports/' },
  input: Closed(PageInput),
  output: Page(Import),
  example: { input: {} },
  run: (ctx, page) =>
    listPage<Import>(
      ctx.tx,
      `select * from (${SELECT} group by i.tenant_id, i.id) i`,
      { '-id': [{ column: 'id', type: 'integer', descending: true }] },
      { ...page, ordering: '-id' },
      [{ text: '$1::text is null or requested_by = $1', values: [onlyOf(ctx.actor)] }],
    ),
})

const get = operation({
  ...shared,
  ...byId,
  id: 'imports.get',
  kind: 'query',
  summary: 'How far an import is',
  http: { method: 'GET', path: '/imports/{id}/' },
  async run(ctx, { id }) {
    await ctx.tx.one(`select from imports ${SEEN}`, [id, onlyOf(ctx.actor)])
    return byIdOf(ctx.tx, id)
  },
})

const Row = Closed({
  line: Type.Integer({ minimum: 2, description: 'As in the file, whose first row has the names' }),
  status: Enum(STATES),
  input: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
  errors: Type.Array(Closed({ path: Type.String(), code: Type.String(), message: Type.String() })),
  target_id: Nullable(Id),
})
type Row = Omit<Static<typeof Row>, 'errors'> & { errors: RowError[] }

const rows = operation({
  ...shared,
  id: 'imports.rows',
  kind: 'query',
  summary: 'The rows of an import, with what is wrong with them in the caller’s language',
  http: { method: 'GET', path: '/imports/{id}/rows/' },
  input: Closed({ id: Id, status: Type.Optional(Enum(STATES)), ...PageInput }),
  output: Page(Row),
  example: { input: { id: 1, status: 'invalid' } },
  async run(ctx, { id, status, ...page }) {
    await ctx.tx.one(`select from imports ${SEEN}`, [id, onlyOf(ctx.actor)])
    const found = await listPage<Row>(
      ctx.tx,
      'select line, status, input, errors, target_id from import_rows',
      { line: [{ column: 'line', type: 'integer' }] },
      { ...page, ordering: 'line' },
      [{ text: 'import_id = $1', values: [id] }, ...(status ? [{ text: 'status = $1', values: [status] }] : [])],
    )
    const worded = ({ path, code, params }: RowError) => ({
      path,
      code: code.replace(/^(fields|errors)\./, ''),
      message: translate(ctx.locale, code, params, ctx.tenant.locale),
    })
    return { ...found, results: found.results.map((row) => ({ ...row, errors: row.errors.map(worded) })) }
  },
})

/** From one of `from` to `to`, once; the rest is a job's. */
const act = (id: string, summary: string, from: readonly string[], to: string, work: 'run' | 'undo') =>
  operation({
    ...shared,
    ...byId,
    id: `imports.${id}`,
    kind: 'mutation',
    summary,
    http: { method: 'POST', path: `/imports/{id}/${id}/`, status: 202 },
    async run(ctx, { id: importId }) {
      const found = await ctx.tx.one<Pick<Import, 'kind' | 'status'>>(
        `select kind, status from imports ${SEEN} for no key update`,
        [importId, onlyOf(ctx.actor)],
      )
      if (!from.includes(found.status)) throw conflict('import_state', { status: found.status })
      const ways = WAYS[found.kind]
      // Rows may name administrators, and whoever makes them at night can show nothing.
      if (found.kind === 'users' || (work === 'run' ? ways.create : ways.undo).needsProof) checkProof(ctx.actor)
      await ctx.tx.query('update imports set status = $2, actor = $3, finished_at = null where id = $1', [
        importId,
        to,
        JSON.stringify(kept(ctx.actor)),
      ])
      await ctx.enqueue(WORK, { import_id: importId, act: work })
      return byIdOf(ctx.tx, importId)
    },
  })
const run = act('run', 'Do what the valid rows of an import ask', ['checked'], 'running', 'run')
const undo = act('undo', 'Take back what an import made, as far as nothing hangs on it', ['done'], 'undoing', 'undo')

export const operations: readonly Operation[] = [create, list, get, rows, run, undo]
