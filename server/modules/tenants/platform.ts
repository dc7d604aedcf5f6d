import Type, { type Static } from 'typebox'
import type { Role } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { backlogOf } from '../../kernel/jobs/index.ts'
import { standing } from '../../kernel/metrics.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Slug, Text, Time } from '../../kernel/schema.ts'
import { SWITCHES } from '../../kernel/switches.ts'
import { TENANT_COLUMNS, TenantEntity } from './schema.ts'

const OPERATORS: readonly Role[] = ['operator', 'system']
const shared = { scope: 'admin:tenant', roles: OPERATORS } as const
const Count = Type.Integer({ minimum: 0 })

const Overview = Closed({
  ...TenantEntity.properties,
  suspended_reason: Type.String(),
  switched_off: Type.Array(Type.String()),
  tickets_today: Count,
  waiting: Count,
  /** Paired machines that have not been heard of for three minutes. */
  devices_down: Count,
  webhooks_failing: Count,
  last_ticket_at: Nullable(Time),
})
type Overview = Static<typeof Overview>
const ROWS = `
  select ${TENANT_COLUMNS.split(', ')
    .map((column) => `t.${column}`)
    .join(', ')}, t.suspended_reason, t.switched_off,
    o.tickets_today, o.waiting, o.devices_down, o.webhooks_failing, o.last_ticket_at
  from app.tenants_overview($1, $2, $3) o join tenants t on t.id = o.id order by t.id desc`
const NEWEST = Number.MAX_SAFE_INTEGER

const list = operation({
  ...shared,
  id: 'tenants.list',
  kind: 'query',
  summary: 'List organisations and how each fares, the newest first',
  http: { method: 'GET', path: '/platform/tenants/', base: 'root' },
  input: Closed({
    q: Type.Optional(Text(100, { minLength: 1 })),
    /** Only those made before this one: how the next page begins. */
    before: Type.Optional(Id),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  }),
  output: Closed({ results: Type.Array(Overview) }),
  example: { input: {} },
  run: async ({ tx }, { q = '', before = NEWEST, limit = 50 }) => ({
    results: await tx.query<Overview>(ROWS, [q, before, limit]),
  }),
})

async function overviewOf({ tx }: Context, id: number): Promise<Overview> {
  const [row] = (await tx.query<Overview>(ROWS, ['', id + 1, 1])).filter((each) => each.id === id)
  if (!row) throw notFound()
  return row
}

const suspend = operation({
  ...shared,
  id: 'tenants.suspend',
  kind: 'mutation',
  summary: 'Close an organisation: its people and machines are refused, visitors read why, nothing is deleted',
  needsProof: true,
  http: { method: 'POST', path: '/platform/tenants/{id}/suspend/', base: 'root' },
  input: Closed({ id: Id, reason: Text(500, { minLength: 10 }) }),
  output: Overview,
  example: { input: { id: 1, reason: 'Unpaid since March, agreed with their director' } },
  run: (ctx, { id, reason }) => setActive(ctx, id, false, reason),
})
const restore = operation({
  ...shared,
  id: 'tenants.restore',
  kind: 'mutation',
  summary: 'Open a closed organisation again, as it was',
  needsProof: true,
  http: { method: 'POST', path: '/platform/tenants/{id}/restore/', base: 'root' },
  input: Closed({ id: Id }),
  output: Overview,
  example: { input: { id: 1 } },
  run: (ctx, { id }) => setActive(ctx, id, true, ''),
})
async function setActive(ctx: Context, id: number, isActive: boolean, reason: string): Promise<Overview> {
  const before = await ctx.tx.one<{ is_active: boolean; suspended_reason: string }>(
    'select is_active, suspended_reason from tenants where id = $1 for no key update',
    [id],
  )
  await ctx.tx.query('update tenants set is_active = $2, suspended_reason = $3, updated_at = now() where id = $1', [
    id,
    isActive,
    reason,
  ])
  ctx.record({ before, after: { is_active: isActive, suspended_reason: reason } })
  return overviewOf(ctx, id)
}

const Switch = Closed({
  switch: Enum(SWITCHES),
  is_off: Type.Boolean(),
  reason: Type.String(),
  changed_at: Nullable(Time),
  /** Organisations for which alone it is off. */
  tenants: Type.Array(Closed({ id: Id, slug: Type.String() })),
})
const SWITCH_ROWS = `
  select n.name as switch, coalesce(p.is_off, false) as is_off, coalesce(p.reason, '') as reason, p.changed_at,
    coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'slug', t.slug) order by t.slug)
              from tenants t where t.switched_off @> array[n.name]), '[]') as tenants
  from unnest($1::text[]) with ordinality n(name, place) left join platform_switches p on p.name = n.name order by n.place`

const switches = operation({
  ...shared,
  id: 'switches.list',
  kind: 'query',
  summary: 'What can be closed at once, and what is',
  http: { method: 'GET', path: '/platform/switches/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(Switch) }),
  example: { input: {} },
  run: async ({ tx }) => ({ results: await tx.query<Static<typeof Switch>>(SWITCH_ROWS, [SWITCHES]) }),
})

const setSwitch = operation({
  ...shared,
  id: 'switches.set',
  kind: 'mutation',
  summary: 'Close or open a capability, for all or for one organisation',
  description: 'In force within two seconds in every process; what it closes answers 503 `switched_off`.',
  needsProof: true,
  http: { method: 'PUT', path: '/platform/switches/{switch}/', base: 'root' },
  input: Closed({
    switch: Enum(SWITCHES),
    is_off: Type.Boolean(),
    reason: Type.Optional(Text(500)),
    /** Only for this organisation; for all when absent. */
    tenant_slug: Type.Optional(Slug),
  }),
  output: Switch,
  example: { input: { switch: 'intake', is_off: true, reason: 'Numbers are given twice' } },
  async run(ctx, { switch: name, is_off, reason = '', tenant_slug }) {
    const before = await switchOf(ctx, name)
    if (tenant_slug === undefined)
      await ctx.tx.query(
        `insert into platform_switches (name, is_off, reason, changed_by) values ($1, $2, $3, $4)
         on conflict (name) do update set is_off = excluded.is_off, reason = excluded.reason,
           changed_by = excluded.changed_by, changed_at = now()`,
        [name, is_off, reason, ctx.actor.principal],
      )
    else
      await ctx.tx.one(
        `update tenants set switched_off = case when $3 then array_append(array_remove(switched_off, $2), $2)
           else array_remove(switched_off, $2) end, updated_at = now() where slug = $1 returning id`,
        [tenant_slug, name, is_off],
      )
    const after = await switchOf(ctx, name)
    ctx.record({ before, after })
    return after
  },
})
const switchOf = async ({ tx }: Context, name: string) =>
  (await tx.query<Static<typeof Switch>>(SWITCH_ROWS, [[name]]))[0]!

const Delay = Closed({ p95_ms: Nullable(Type.Number()), count: Count })
const health = operation({
  ...shared,
  id: 'platform.health',
  kind: 'query',
  summary: 'How the installation fares: requests, live events, sockets, jobs, messages',
  description: 'Delays are of the process that answers, since it began; jobs are of all.',
  http: { method: 'GET', path: '/platform/health/', base: 'root' },
  input: Closed({}),
  output: Closed({
    requests: Delay,
    events: Delay,
    sockets: Count,
    jobs: Closed({ due: Count, oldest_seconds: Type.Number(), dead: Count }),
    messages: Closed({ sent: Count, failed: Count }),
  }),
  example: { input: {} },
  run: async ({ tx }) => {
    const { due, oldest_seconds, dead } = await backlogOf(tx)
    return { ...(await standing()), jobs: { due, oldest_seconds, dead } }
  },
})

export const platformOperations: readonly Operation[] = [list, suspend, restore, switches, setSwitch, health]
