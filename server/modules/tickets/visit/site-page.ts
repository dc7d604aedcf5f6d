import Type, { type Static } from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import { notFound } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed, Id, Nullable, Text, Time } from '../../../kernel/schema.ts'
import { Brand, brandOf } from '../../media/index.ts'
import { openState, QueueStatus } from '../../queues/index.ts'
import { exceptionAt, Names, type OpeningHours } from '../../sites/index.ts'
import { newcomerFigures } from '../live/index.ts'

const Line = Closed({
  /** Queue to take a number of. */
  id: Id,
  code: Type.String(),
  name: Type.String(),
  /** Of the service, by language. */
  names: Names,
  status: QueueStatus,
  waiting: Type.Integer({ minimum: 0 }),
  /** Counters that serve it now. */
  agents_open: Type.Integer({ minimum: 0 }),
  /** What somebody who came now would wait; null when nothing honest can be said. */
  eta_low_seconds: Nullable(Type.Integer()),
  eta_high_seconds: Nullable(Type.Integer()),
  max_capacity: Nullable(Type.Integer()),
  /** Whether an appointment can be booked for it. */
  takes_appointments: Type.Boolean(),
})
/** A site as somebody who came now would find it. */
export const SiteNow = Closed({
  site: Closed({
    id: Id,
    name: Type.String(),
    slug: Type.String(),
    address: Type.String(),
    timezone: Type.String(),
    /** Numbers are given to who is this near, and says so by `location`; null = to anybody. */
    presence_radius_metres: Nullable(Type.Integer()),
  }),
  is_open: Type.Boolean(),
  /** When the doors close; null when they are closed or never close. */
  closes_at: Nullable(Time),
  /** When they open next; null when open, or when that is not known. */
  opens_at: Nullable(Time),
  /** Why today is special, by language. */
  reason: Names,
  lines: Type.Array(Line),
})
const SitePage = Closed({
  tenant_name: Type.String(),
  brand: Brand,
  ...SiteNow.properties,
  /** The server's clock: what is shown is as of then. */
  now: Time,
})
type Line = Static<typeof Line>

interface SiteRow extends Static<typeof SiteNow.properties.site> {
  opening_hours: OpeningHours | null
  now: string
}
const SITE = `
  select id, name, slug, address, timezone, presence_radius_metres, opening_hours, now() as now from sites where slug = $1 and is_active`
const LINES = `
  select q.id, v.code, v.name, v.names, st.status, q.max_capacity, q.is_active,
    exists (select from booking_settings b where b.queue_id = q.id and b.is_active) as takes_appointments,
    (select count(distinct a.counter_id) from agent_queues s
     join agents a on a.tenant_id = s.tenant_id and a.id = s.agent_id
     where s.queue_id = q.id and a.status in ('available', 'calling', 'serving', 'wrap_up'))::int as agents_open
  from queues q
  join services v on v.tenant_id = q.tenant_id and v.id = q.service_id and v.is_active
  join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
  where q.site_id = $1 order by v.code, q.id`

/** With the database's clock. Undefined when no site that is in use has this slug. */
export async function siteNow(
  ctx: Context,
  slug: string,
): Promise<(Static<typeof SiteNow> & { now: string }) | undefined> {
  const site = await ctx.tx.maybe<SiteRow>(SITE, [slug])
  if (!site) return undefined
  const { now, opening_hours, ...place } = site
  const rows = await ctx.tx.query<Line & { is_active: boolean }>(LINES, [site.id])
  const lines: Line[] = []
  for (const { is_active, ...row } of rows) {
    const { ahead, eta_low_seconds, eta_high_seconds } = await newcomerFigures(ctx, row.id)
    const status = is_active ? row.status : 'paused'
    lines.push({ ...row, status, waiting: ahead ?? 0, eta_low_seconds, eta_high_seconds })
  }
  const { is_open, closes_at, opens_at } = openState(
    { is_active: true, site_is_active: true, timezone: site.timezone, opening_hours },
    now,
  )
  return {
    site: place,
    is_open,
    closes_at: closes_at?.toString() ?? null,
    opens_at: opens_at?.toString() ?? null,
    reason: exceptionAt(opening_hours, site.timezone, Temporal.Instant.from(now))?.reason ?? {},
    lines: is_open ? lines : lines.map((line): Line => ({ ...line, status: 'closed' })),
    now,
  }
}

/** What somebody who scanned the site's code sees first. */
export const sitePage = operation({
  id: 'tickets.sitePage',
  kind: 'query',
  summary: 'What can be taken at a site now',
  description: 'Lines with their state, length and wait, and the doors’ hours. An inactive line is listed as paused.',
  scope: null,
  roles: ROLES,
  http: { method: 'GET', path: '/sites/{slug}/', base: 'public' },
  input: Closed({ slug: Text(100) }),
  output: SitePage,
  example: { input: { slug: 'centre' } },
  async run(ctx, { slug }) {
    const found = await siteNow(ctx, slug)
    if (!found) throw notFound()
    return { tenant_name: ctx.tenant.name, brand: await brandOf(ctx), ...found }
  },
})
