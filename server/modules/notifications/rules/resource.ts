import Type from 'typebox'
import { MANAGERS, STAFF } from '../../../kernel/access.ts'
import { conflict, invalid, notFound } from '../../../kernel/errors.ts'
import { operation, type Operation } from '../../../kernel/operation.ts'
import { Default, resource } from '../../../kernel/resource.ts'
import { Closed, Enum, Id, Nullable } from '../../../kernel/schema.ts'
import { followSiteOf } from '../follow.ts'
import { MESSAGE_CHANNELS, RULE_EVENTS, type RuleEvent } from '../vocabulary.ts'

/** Events with a place in the line or minutes left. */
const WITH_THRESHOLD: readonly RuleEvent[] = ['position', 'minutes_left', 'still_coming']

/** How long each is worth saying, in seconds, unless a rule says otherwise. */
const VALID_SECONDS: Record<RuleEvent, number> = {
  called: 180,
  position: 300,
  minutes_left: 300,
  still_coming: 300,
  missed: 300,
  transferred: 600,
  delayed: 600,
  survey: 86_400,
  tomorrow_offered: 900,
  appointment_confirmed: 86_400,
  appointment_reminder: 86_400,
  appointment_cancelled: 86_400,
}

const Event = Enum(RULE_EVENTS)

const rules = resource({
  noun: 'notification-rules',
  singular: 'notification_rule',
  table: 'notification_rules',
  fields: {
    queue_id: Id,
    event: Event,
    threshold: Default(Type.Integer({ minimum: 0, maximum: 500 }), 0),
    channels: Type.Array(Enum(MESSAGE_CHANNELS), { minItems: 1, maxItems: 4, uniqueItems: true }),
    escalate_after_seconds: Default(Nullable(Type.Integer({ minimum: 5, maximum: 86_400 })), null),
    /** What follows from the event when absent. */
    valid_seconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 604_800 })),
    is_active: Default(Type.Boolean(), true),
  },
  fixed: ['queue_id', 'event'],
  scopes: { read: 'read:queue', write: 'write:queue' },
  roles: { read: STAFF, write: MANAGERS },
  filters: { queue_id: { schema: Id, where: 'queue_id = $1' }, event: { schema: Event, where: 'event = $1' } },
  within: {
    sites: 'queue_id in (select q.id from queues q where q.site_id = any($1))',
    queues: 'queue_id = any($1)',
  },
  orderings: ['id'],
  example: { queue_id: 1, event: 'position', threshold: 3, channels: ['push', 'sms'], escalate_after_seconds: 30 },
  constraints: {
    notification_rules_tenant_id_queue_id_event_threshold_key: () => conflict('already_exists'),
  },
  prepare(_, rule) {
    const needs = WITH_THRESHOLD.includes(rule.event)
    if (needs && !rule.threshold) throw invalid('/threshold', 'required')
    return {
      ...rule,
      threshold: needs ? (rule.threshold ?? 0) : 0,
      valid_seconds: rule.valid_seconds ?? VALID_SECONDS[rule.event],
    }
  },
  created: (ctx, rule) => followSiteOf(ctx.tx, rule.queue_id),
})

const Minute = Type.String({ pattern: '^(?:[01]\\d|2[0-3]):[0-5]\\d$' })
const Quiet = Closed({ starts: Nullable(Minute), ends: Nullable(Minute) })
type Quiet = Type.Static<typeof Quiet>
const path = '/sites/{site_id}/quiet-hours/'

const OF_SITE =
  'select h.starts, h.ends from sites s left join quiet_hours h on h.tenant_id = s.tenant_id and h.site_id = s.id where s.id = $1'
const getQuiet = operation({
  id: 'notifications.quietHours',
  kind: 'query',
  summary: 'When a site writes to nobody about what can wait',
  scope: 'read:site',
  roles: STAFF,
  http: { method: 'GET', path },
  input: Closed({ site_id: Id }),
  output: Quiet,
  example: { input: { site_id: 1 } },
  run: ({ tx }, { site_id }) => tx.one<Quiet>(OF_SITE, [site_id]),
})

const setQuiet = operation({
  id: 'notifications.setQuietHours',
  kind: 'mutation',
  summary: 'Set when a site writes to nobody about what can wait',
  description:
    'In the site’s own time; an end before the start is on the next day, null ends them. What concerns somebody who waits now is always sent.',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'PUT', path },
  input: Closed({ site_id: Id, ...Quiet.properties }),
  output: Quiet,
  example: { input: { site_id: 1, starts: '21:00', ends: '08:00' } },
  async run(ctx, { site_id, starts, ends }) {
    if ((starts === null) !== (ends === null)) throw invalid(starts === null ? '/starts' : '/ends', 'required')
    const before = await ctx.tx.maybe<Quiet>(OF_SITE, [site_id])
    if (!before) throw notFound()
    if (starts === null) await ctx.tx.query('delete from quiet_hours where site_id = $1', [site_id])
    else
      await ctx.tx.query(
        `insert into quiet_hours (site_id, starts, ends) values ($1, $2, $3)
         on conflict (tenant_id, site_id) do update set starts = excluded.starts, ends = excluded.ends`,
        [site_id, starts, ends],
      )
    ctx.record({ before, after: { starts, ends } })
    ctx.emit({ type: 'quiet_hours.updated', site_id, data: { starts, ends } })
    return { starts, ends }
  },
})

export const ruleOperations: readonly Operation[] = [...rules.operations, getQuiet, setQuiet]
