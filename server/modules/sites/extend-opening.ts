import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import type { Resource } from '../../kernel/resource.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { OpeningReason } from './holidays.ts'
import { extendedHours, Minute, type OpeningHours } from './opening-hours.ts'
import { enqueueRefresh } from './refresh-job.ts'
import type { siteFields } from './schema.ts'

/** Whoever leads the branch today may keep the doors open; the hours of every week stay the administrator's. */
export const extendOpening = ({ entity, columns }: Pick<Resource<typeof siteFields>, 'entity' | 'columns'>) => {
  type Site = Type.Static<typeof entity>
  return operation({
    id: 'sites.extendOpening',
    kind: 'mutation',
    summary: 'Stay open longer today',
    description:
      'Makes an exception for the site’s present date: its last interval ends at `until`, local time of the site. Boards and visitors learn of it at once, with the reason.',
    scope: 'write:queue',
    roles: MANAGERS,
    http: { method: 'POST', path: '/sites/{id}/extend-opening/' },
    input: Closed({ id: Id, until: Minute, reason: Type.Optional(OpeningReason) }),
    output: entity,
    example: { input: { id: 1, until: '18:30', reason: { fr: 'Affluence', en: 'Many visitors' } } },
    async run(ctx, { id, until, reason }) {
      const before = await ctx.tx.one<Site & { opening_hours: OpeningHours | null; timezone: string }>(
        `select ${columns} from sites where id = $1 for no key update`,
        [id],
      )
      if (before.opening_hours === null) throw conflict('always_open')
      const { now } = await ctx.tx.one<{ now: string }>('select clock_timestamp() as now')
      const hours = extendedHours(before.opening_hours, before.timezone, Temporal.Instant.from(now), until, reason)
      const site = await ctx.tx.one<Site>(
        `update sites set opening_hours = $2, updated_at = now() where id = $1 returning ${columns}`,
        [id, JSON.stringify(hours)],
      )
      await enqueueRefresh(ctx)
      ctx.record({ before, after: site, isPersonal: false })
      ctx.emit({ type: 'site.updated', site_id: id, data: { site } })
      return site
    },
  })
}
