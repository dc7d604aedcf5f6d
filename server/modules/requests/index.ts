/** The log of requests: what programs asked with the organisation's keys, and what came of it. */
import Type, { type Static } from 'typebox'
import { ADMINS } from '../../kernel/access.ts'
import { eachTenant, type Job } from '../../kernel/jobs/index.ts'
import { listPage, type Condition, type Ordering } from '../../kernel/list.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Page, PageInput, Text, Time } from '../../kernel/schema.ts'

export { RequestRecorder, type Answered } from './recorder.ts'

const Entry = Closed({
  id: Id,
  at: Time,
  api_key_id: Id,
  request_id: Type.String({ description: 'As the answer’s `X-Request-Id` named it' }),
  operation: Type.String({ description: '`other` where no operation answers' }),
  method: Type.String(),
  route: Type.String({ description: 'Address with the names of its parameters, never their values' }),
  status: Type.Integer(),
  duration_ms: Type.Number({ minimum: 0 }),
})
type Entry = Static<typeof Entry>
const SELECT = `select ${Object.keys(Entry.properties).join(', ')} from api_requests`
const orderings: Record<string, Ordering> = { '-id': [{ column: 'id', type: 'integer', descending: true }] }

const filters = {
  request_id: Type.Optional(Text(100, { minLength: 1 })),
  operation: Type.Optional(Text(100, { minLength: 1 })),
  outcome: Type.Optional(Enum(['succeeded', 'refused', 'failed'], { description: 'Below 400, from 400, from 500' })),
}
const OUTCOMES = { succeeded: 'status < 400', refused: 'status >= 400', failed: 'status >= 500' } as const

const list = operation({
  id: 'requests.list',
  kind: 'query',
  summary: 'What programs asked with the organisation’s keys, the newest first',
  description:
    'The newest ten thousand of the last thirty days; of a flood fifty a second and process that succeeded, and fifty that did not. ' +
    'Nothing of what was in a request or its answer is kept, and nothing of where it came from.',
  scope: 'admin:tenant',
  roles: ADMINS,
  http: { method: 'GET', path: '/requests/' },
  input: Closed({ ...PageInput, ...filters }),
  output: Page(Entry),
  example: { input: { outcome: 'refused', limit: 20 } },
  pool: 'reports',
  run({ tx }, { limit, cursor, request_id, operation: op, outcome }) {
    const equal: Record<string, unknown> = { request_id, operation: op }
    const where: Condition[] = Object.entries(equal).flatMap(([column, value]) =>
      value === undefined ? [] : [{ text: `${column} = $1`, values: [value] }],
    )
    if (outcome !== undefined) where.push({ text: OUTCOMES[outcome], values: [] })
    const page = { ordering: '-id', ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) }
    return listPage<Entry>(tx, SELECT, orderings, page, where)
  },
})

const forget: Job = {
  name: 'requests.forget',
  schedule: '41 * * * *',
  async run({ runtime: { db }, tenants }) {
    await eachTenant(await tenants(), (tenant) =>
      db.tenant(tenant.id, async (tx) => {
        await tx.query(`delete from api_requests where at < now() - interval '30 days'`)
      }),
    )
  },
}

export const operations: readonly Operation[] = [list]
export const jobs: readonly Job[] = [forget]
