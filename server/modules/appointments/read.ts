import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { listPage, type Condition, type OrderColumn } from '../../kernel/list.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Day, Enum, Id, Page, PageInput, Text } from '../../kernel/schema.ts'
import { Appointment, APPOINTMENT_COLUMNS, STATUSES } from './schema.ts'

const byTime = (descending: boolean): OrderColumn[] => [
  { column: 'start_at', expression: 'a.start_at', type: 'timestamptz', descending },
  { column: 'id', expression: 'a.id', type: 'integer', descending },
]
const ORDERINGS = { start_at: byTime(false), '-start_at': byTime(true) }

const FILTERS = {
  site: { schema: Id, where: 'a.site_id = $1' },
  queue: { schema: Id, where: 'a.queue_id = $1' },
  service: { schema: Id, where: 'a.service_id = $1' },
  customer: { schema: Id, where: 'a.customer_id = $1' },
  agent: { schema: Id, where: 'a.agent_id = $1' },
  series: { schema: Id, where: 'a.series_id = $1' },
  status: {
    schema: Type.Array(Enum(STATUSES), { minItems: 1, maxItems: STATUSES.length }),
    where: 'a.status = any($1)',
  },
  /** Local days of the site, both included. */
  from: { schema: Day, where: 'a.day >= $1' },
  to: { schema: Day, where: 'a.day <= $1' },
  code: { schema: Text(6), where: 'a.code = $1' },
} as const

export const list = operation({
  id: 'appointments.list',
  kind: 'query',
  summary: 'List appointments',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/appointments/' },
  input: Closed({
    ...PageInput,
    ordering: Type.Optional(Enum(['start_at', '-start_at'], { default: 'start_at' })),
    ...(Object.fromEntries(Object.entries(FILTERS).map(([name, { schema }]) => [name, Type.Optional(schema)])) as {
      [name in keyof typeof FILTERS]: ReturnType<typeof Type.Optional<(typeof FILTERS)[name]['schema']>>
    }),
  }),
  output: Page(Appointment),
  example: { input: { from: '2026-12-01', to: '2026-12-01' } },
  run(ctx, { ordering = 'start_at', limit, cursor, ...wanted }) {
    const asked = Object.entries(wanted).map(([name, value]): Condition => ({
      text: FILTERS[name as keyof typeof FILTERS].where,
      values: [value],
    }))
    return listPage<Appointment>(
      ctx.tx,
      `select ${APPOINTMENT_COLUMNS} from appointments a`,
      ORDERINGS,
      { ordering, ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) },
      [...asked, ...limitsOf(ctx)],
    )
  },
})

function limitsOf({ actor: { siteIds, queueIds } }: Context): Condition[] {
  return [
    ...(siteIds ? [{ text: 'a.site_id = any($1)', values: [siteIds] }] : []),
    ...(queueIds ? [{ text: 'a.queue_id = any($1)', values: [queueIds] }] : []),
  ]
}

/** One appointment as it is now. @throws AppError not_found */
export async function readAppointment({ tx }: Context, id: number): Promise<Appointment> {
  const row = await tx.maybe<Appointment>(`select ${APPOINTMENT_COLUMNS} from appointments a where a.id = $1`, [id])
  if (!row) throw notFound()
  return row
}

export const get = operation({
  id: 'appointments.get',
  kind: 'query',
  summary: 'Get one appointment',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/appointments/{id}/' },
  input: Closed({ id: Id }),
  output: Appointment,
  example: { input: { id: 1 } },
  run: (ctx, { id }) => readAppointment(ctx, id),
  readMany: (ctx, ids) =>
    ctx.tx.query<Appointment>(`select ${APPOINTMENT_COLUMNS} from appointments a where a.id = any($1)`, [ids]),
})
