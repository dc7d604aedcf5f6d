import Type, { type Static } from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Name, Nullable, Slug, Text, Time } from '../../kernel/schema.ts'
import { closesAt, Names, nextOpening, type OpeningHours } from '../sites/index.ts'
import { Brand, brandOf } from '../media/index.ts'
import { NullableAlert } from './alert.ts'
import { screenMedia, ScreenMedia } from './playlists.ts'
import { DisplaySettings } from './schema.ts'

const Screen = Closed({
  display: Closed({ id: Id, name: Name, settings: DisplaySettings, alert: NullableAlert }),
  site: Closed({
    name: Name,
    slug: Slug,
    timezone: Type.String(),
    /** When it closes, or null; when it opens next, null while it is open. */
    closes_at: Nullable(Time),
    opens_at: Nullable(Time),
    /** When the last number of today was given in a queue that is shown here. */
    last_ticket_at: Nullable(Time),
  }),
  tenant: Closed({ slug: Slug, name: Name, brand: Brand }),
  queues: Type.Array(Closed({ id: Id, name: Name, code: Text(8), names: Names })),
  /** In the order they are shown, while nobody is called. */
  media: Type.Array(ScreenMedia),
})

/** What a wall shows beside its live feed; asked again when the feed says that the display was changed. */
export const screen = operation({
  id: 'displays.screen',
  kind: 'query',
  summary: 'What a screen shows beside its calls',
  description: 'Settings, names of place and lines in all languages, opening, and an alert.',
  scope: 'read:display',
  roles: [...STAFF, 'display'],
  http: { method: 'GET', path: '/displays/{id}/screen/' },
  input: Closed({ id: Id }),
  output: Screen,
  example: { input: { id: 1 } },
  async run(ctx, { id }): Promise<Static<typeof Screen>> {
    const { tx, tenant } = ctx
    const row = await tx.one<{
      display: Static<typeof Screen>['display']
      site: { name: string; slug: string; timezone: string }
      last_ticket_at: string | null
      opening_hours: OpeningHours | null
      playlist_id: number | null
      queues: Static<typeof Screen>['queues']
      now: string
    }>(
      `select json_build_object('id', d.id, 'name', d.name, 'settings', d.settings, 'alert', d.alert) as display,
              json_build_object('name', s.name, 'slug', s.slug, 'timezone', s.timezone) as site, s.opening_hours, d.playlist_id, now(),
              (select t.created_at from tickets t
               where t.site_id = d.site_id and t.created_at >= date_trunc('day', now() at time zone s.timezone) at time zone s.timezone
                 and (cardinality(d.queue_ids) = 0 or t.queue_id = any(d.queue_ids))
               order by t.created_at desc limit 1) as last_ticket_at,
              (select coalesce(json_agg(json_build_object('id', q.id, 'name', q.name, 'code', v.code, 'names', v.names)
                        order by v.code, q.id), '[]')
               from queues q join services v on v.tenant_id = q.tenant_id and v.id = q.service_id
               where q.site_id = d.site_id and (cardinality(d.queue_ids) = 0 or q.id = any(d.queue_ids))) as queues
       from displays d join sites s on s.tenant_id = d.tenant_id and s.id = d.site_id
       where d.id = $1 and d.is_active`,
      [id],
    )
    const { display, site, opening_hours: hours, queues, last_ticket_at } = row
    const at = Temporal.Instant.from(row.now)
    const closes_at = closesAt(hours, site.timezone, at)?.toString() ?? null
    const opens = nextOpening(hours, site.timezone, at)
    const opens_at = opens === null || Temporal.Instant.compare(opens, at) <= 0 ? null : opens.toString()
    return {
      display,
      site: { ...site, closes_at, opens_at, last_ticket_at },
      tenant: { slug: tenant.slug, name: tenant.name, brand: await brandOf(ctx) },
      queues,
      media: await screenMedia(ctx, row.playlist_id),
    }
  },
})
