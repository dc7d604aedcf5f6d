import Type from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { invalid } from '../../../kernel/errors.ts'
import { operation, type Operation } from '../../../kernel/operation.ts'
import { Default, resource } from '../../../kernel/resource.ts'
import { Closed, Enum, Id, Locale, Name, Nullable } from '../../../kernel/schema.ts'
import { localToday } from '../reports/period.ts'

export const SEND_REPORT = 'analytics.send_report'

const Email = Type.String({ format: 'email', maxLength: 254 })

const scheduledReports = resource({
  noun: 'scheduled-reports',
  singular: 'scheduled_report',
  table: 'scheduled_reports',
  fields: {
    name: Name,
    /** Null: the whole organisation. */
    site_id: Default(Nullable(Id), null),
    frequency: Enum(['weekly', 'monthly']),
    /** Weekly: ISO, 1 is Monday; monthly: day of the month, 1 to 28. It tells of the week or calendar month before. */
    day: Default(Type.Integer({ minimum: 1, maximum: 28 }), 1),
    recipients: Type.Array(Email, { minItems: 1, maxItems: 20, uniqueItems: true }),
    locale: Default(Locale, 'fr'),
    is_active: Default(Type.Boolean(), true),
  },
  scopes: { read: 'read:analytics', write: 'read:analytics' },
  roles: { read: MANAGERS, write: MANAGERS },
  filters: { site: { schema: Id, where: 'site_id = $1' } },
  orderings: ['name', 'created_at'],
  within: { sites: 'site_id = any($1)', queues: '$1::bigint[] is null' },
  example: { name: 'Semaine de la mairie', frequency: 'weekly', recipients: ['direction@example.org'] },
  // Addresses are people's.
  eventData: ({ id }) => ({ scheduled_report: { id } }),
  prepare: async (ctx, next) => {
    if (next.frequency === 'weekly' && next.day > 7) throw invalid('/day', 'range')
    if (next.site_id !== null) await ctx.tx.one('select from sites where id = $1', [next.site_id])
    // Whoever is kept to some sites sends no report of the others.
    else if (ctx.actor.siteIds) throw invalid('/site_id', 'required')
    return next
  },
})

const send = operation({
  id: 'scheduled-reports.send',
  kind: 'mutation',
  summary: 'Send a report now, of the last week or month that is over',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'POST', path: '/scheduled-reports/{id}/send/', status: 202 },
  input: Closed({ id: Id }),
  output: Closed({ recipients: Type.Integer({ minimum: 0 }) }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    const { recipients } = await ctx.tx.one<{ recipients: string[] }>(
      'select recipients from scheduled_reports where id = $1',
      [id],
    )
    const day = await localToday(ctx.tx, ctx.tenant.timezone)
    for (const n of recipients.keys()) await ctx.enqueue(SEND_REPORT, { report_id: id, day, recipient: n })
    return { recipients: recipients.length }
  },
})

export const scheduledOperations: readonly Operation[] = [...scheduledReports.operations, send]
