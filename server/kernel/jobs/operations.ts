import Type, { type Static } from 'typebox'
import { notFound } from '../errors.ts'
import { operation, type Context, type Operation } from '../operation.ts'
import { Closed, Id, Nullable, Time } from '../schema.ts'

const DeadJob = Closed({
  id: Id,
  task: Type.String(),
  payload: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
  attempts: Type.Integer(),
  last_error: Nullable(Type.String()),
  created_at: Time,
  failed_at: Time,
})
const shared = { scope: 'admin:tenant', roles: ['operator', 'system'] } as const

const list = operation({
  ...shared,
  id: 'jobs.dead',
  kind: 'query',
  summary: 'List jobs that failed as often as they may',
  description: 'The last two hundred. They stay until they are tried again or discarded.',
  http: { method: 'GET', path: '/platform/dead-jobs/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(DeadJob) }),
  example: { input: {} },
  run: async ({ tx }) => ({
    results: await tx.query<Static<typeof DeadJob>>('select * from app.dead_jobs(200)'),
  }),
})

async function change(ctx: Context, id: number, statement: string): Promise<null> {
  const { done } = await ctx.tx.one<{ done: boolean }>(statement, [id])
  if (!done) throw notFound()
  return null
}

const retry = operation({
  ...shared,
  id: 'jobs.retry',
  kind: 'mutation',
  summary: 'Try a dead job again, as often as a new one',
  http: { method: 'POST', path: '/platform/dead-jobs/{id}/retry/', base: 'root', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  run: (ctx, { id }) => change(ctx, id, 'select app.retry_dead_job($1) as done'),
})

const discard = operation({
  ...shared,
  id: 'jobs.discard',
  kind: 'mutation',
  summary: 'Discard a dead job',
  http: { method: 'DELETE', path: '/platform/dead-jobs/{id}/', base: 'root', status: 204 },
  input: Closed({ id: Id }),
  output: Type.Null(),
  example: { input: { id: 1 } },
  run: (ctx, { id }) => change(ctx, id, 'select app.discard_dead_job($1) as done'),
})

export const operations: readonly Operation[] = [list, retry, discard]
