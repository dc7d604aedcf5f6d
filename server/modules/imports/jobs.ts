import type { Actor } from '../../kernel/access.ts'
import { now } from '../../kernel/clock.ts'
import type { Job, JobContext } from '../../kernel/jobs/index.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { WAYS, type Kind } from './kinds.ts'
import { WORK } from './operations.ts'
import { refusalsOf, tryRow, type RowError } from './rows.ts'

const KEPT_DAYS = 30
const PAGE = 200

interface Work extends Pick<JobContext, 'runtime'> {
  tenant: Tenant
  id: number
  kind: Kind
  actor: Actor
}
interface Row {
  line: number
  input: Record<string, unknown>
  target_id: number | null
}

/** Only of a row that still stands where it was: two workers may have been at it. */
async function note(
  { runtime, tenant, id }: Work,
  line: number,
  [from, status]: readonly [string, string],
  errors: RowError[],
  target?: number,
) {
  await runtime.db.tenant(tenant.id, (tx) =>
    tx.query(
      `update import_rows set status = $3, errors = $4, target_id = coalesce($5, target_id) where import_id = $1 and line = $2 and status = $6`,
      [id, line, status, JSON.stringify(errors), target ?? null, from],
    ),
  )
}

/** Rows that still stand in `status`, a page at a time: whoever takes up a job that died goes on where it was. */
async function eachRow(
  work: Work,
  status: string,
  isBackward: boolean,
  visit: (row: Row) => Promise<void>,
): Promise<void> {
  const { runtime, tenant, id } = work
  for (;;) {
    const rows = await runtime.db
      .reader(tenant.id)
      .query<Row>(
        `select line, input, target_id from import_rows where import_id = $1 and status = $2 order by line ${isBackward ? 'desc' : ''} limit ${PAGE}`,
        [id, status],
      )
    for (const row of rows) await visit(row)
    if (rows.length < PAGE) return
  }
}

async function check(work: Work): Promise<void> {
  const { create, unique } = WAYS[work.kind]
  const seen = new Set<string>()
  await eachRow(work, 'new', false, async ({ line, input }) => {
    const twice = unique.filter((name) => {
      const key = `${name}:${String(input[name]).toLowerCase()}`
      const isTwice = input[name] !== undefined && seen.has(key)
      seen.add(key)
      return isTwice
    })
    const errors =
      twice.length > 0
        ? twice.map((name) => ({ path: `/${name}`, code: 'fields.duplicate' }))
        : await tryRow(work.runtime, work.tenant, work.actor, create, input)
    await note(work, line, ['new', errors.length > 0 ? 'invalid' : 'valid'], errors)
  })
}

/** Each row under a key of its own: a job that died after a row does it no second time. */
async function run(work: Work): Promise<void> {
  const { runtime, tenant, actor, id, kind } = work
  const { create } = WAYS[kind]
  await eachRow(work, 'valid', false, async ({ line, input }) => {
    try {
      const key = `import:${id}:${line}`
      const { status, body } = await runtime.execute(create, { actor, tenant, locale: tenant.locale, input, key })
      const answer = JSON.parse(body) as { id: number; code: string }
      if (status < 400) await note(work, line, ['valid', 'done'], [], answer.id)
      // Refused before by a worker that died before it could say so.
      else await note(work, line, ['valid', 'failed'], [{ path: '', code: `errors.${answer.code}` }])
    } catch (error) {
      await note(work, line, ['valid', 'failed'], refusalsOf(error, create))
    }
  })
}

/** The last first, since they may hang on those before. What cannot be taken back any more is kept, and says why. */
async function undo(work: Work): Promise<void> {
  const { runtime, tenant, actor, kind } = work
  const { undo: op } = WAYS[kind]
  await eachRow(work, 'done', true, async ({ line, target_id }) => {
    try {
      await runtime.execute(op, { actor, tenant, locale: tenant.locale, input: { id: target_id } })
      await note(work, line, ['done', 'undone'], [])
    } catch (error) {
      const errors = refusalsOf(error, op)
      // Somebody has deleted it meanwhile.
      const isGone = errors.some(({ code }) => code === 'errors.not_found')
      await note(work, line, ['done', isGone ? 'undone' : 'kept'], isGone ? [] : errors)
    }
  })
}

const ACTS = {
  check: { work: check, from: 'checking', to: 'checked' },
  run: { work: run, from: 'running', to: 'done' },
  undo: { work: undo, from: 'undoing', to: 'undone' },
} as const

async function workOn({ runtime, tenants }: JobContext, payload: Record<string, unknown>): Promise<void> {
  const tenant = (await tenants()).find(({ id }) => id === payload['tenant_id'])
  const chosen = ACTS[payload['act'] as keyof typeof ACTS]
  const id = Number(payload['import_id'])
  if (!tenant) return
  const found = await runtime.db
    .reader(tenant.id)
    .maybe<{ kind: Kind; actor: Omit<Actor, 'scopes'> & { scopes: string[] }; is_member: boolean }>(
      `select i.kind, i.actor, (i.actor ->> 'userId') is null or exists (
         select from memberships m where m.user_id = (i.actor ->> 'userId')::bigint and m.role = i.actor ->> 'role') as is_member
       from imports i where i.id = $1 and i.status = $2`,
      [id, chosen.from],
    )
  // Done by another, or whoever asked may do so no more.
  if (!found?.is_member) return
  const { kind, actor } = found
  // That they have proved who they are was checked when they asked.
  const caller = {
    ...actor,
    scopes: new Set(actor.scopes),
    sessionId: null,
    ticketId: null,
    provenAt: Math.floor(now() / 1000),
  }
  await chosen.work({ runtime, tenant, id, kind, actor: caller })
  await runtime.db.tenant(tenant.id, (tx) =>
    tx.query('update imports set status = $2, finished_at = now() where id = $1 and status = $3', [
      id,
      chosen.to,
      chosen.from,
    ]),
  )
}

async function forget({ runtime }: JobContext, payload: Record<string, unknown>): Promise<void> {
  await runtime.db.tenant(Number(payload['tenant_id']), (tx) =>
    tx.query(`delete from imports where created_at < now() - interval '${KEPT_DAYS} days'`),
  )
}

export const jobs: readonly Job[] = [
  { name: WORK, run: workOn },
  { name: 'imports.forget', nightly: '04:40', run: forget },
]
