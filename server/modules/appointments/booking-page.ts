import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Day, Id, Text } from '../../kernel/schema.ts'
import { Names } from '../sites/index.ts'

const BookingPage = Closed({
  tenant_name: Type.String(),
  site: Closed({ id: Id, name: Type.String(), slug: Type.String(), address: Type.String(), timezone: Type.String() }),
  /** Local dates of the site: the first and the last that anybody may book. */
  today: Day,
  last_day: Day,
  services: Type.Array(
    Closed({
      service_id: Id,
      queue_id: Id,
      name: Type.String(),
      /** By language. */
      names: Names,
      code: Type.String(),
      duration_seconds: Type.Integer(),
      /** A link that is sent there confirms. */
      needs_email: Type.Boolean(),
      /** People of one appointment at most. */
      most_people: Type.Integer(),
    }),
  ),
})

const PAGE = `
  select json_build_object('id', s.id, 'name', s.name, 'slug', s.slug, 'address', s.address, 'timezone', s.timezone) as site,
    (now() at time zone s.timezone)::date as today,
    (now() at time zone s.timezone)::date + coalesce(max(b.horizon_days), 0) as last_day,
    coalesce(json_agg(json_build_object('service_id', v.id, 'queue_id', q.id, 'name', v.name, 'names', v.names,
      'code', v.code, 'duration_seconds', b.duration_seconds, 'needs_email', b.confirmation = 'email',
      'most_people', case b.resource when 'none' then b.capacity else 1 end) order by v.code, q.id)
      filter (where b.id is not null), '[]') as services
  from sites s
  left join queues q on q.tenant_id = s.tenant_id and q.site_id = s.id and q.is_active
  left join services v on v.tenant_id = q.tenant_id and v.id = q.service_id and v.is_active
  left join booking_settings b on b.tenant_id = q.tenant_id and b.queue_id = q.id and b.is_active and v.id is not null
  where s.slug = $1 and s.is_active group by s.tenant_id, s.id`

/** What somebody who wants to book sees first. */
export const bookingPage = operation({
  id: 'appointments.bookingPage',
  kind: 'query',
  summary: 'What can be booked at a site',
  scope: null,
  roles: ROLES,
  http: { method: 'GET', path: '/sites/{slug}/booking/', base: 'public' },
  input: Closed({ slug: Text(100) }),
  output: BookingPage,
  example: { input: { slug: 'centre' } },
  async run(ctx, { slug }) {
    const page = await ctx.tx.maybe<Omit<Static<typeof BookingPage>, 'tenant_name'>>(PAGE, [slug])
    if (!page) throw notFound()
    return { tenant_name: ctx.tenant.name, ...page }
  },
})
