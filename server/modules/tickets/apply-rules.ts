import Type from 'typebox'
import { operation } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import {
  decide,
  isLater,
  localTime,
  punctuality,
  queueConfig,
  queueConfigs,
  type QueueConfig,
  type RuleFacts,
} from '../queues/index.ts'
import { holdOrder, newPlace } from './order.ts'
import { lineLengths, tell } from './route.ts'
import { ROW_COLUMNS, type Row } from './sql.ts'
import { microseconds, secondsBetween } from './time.ts'
import { advance, commitMoves, type Move } from './transition.ts'

/** Queues with a rule about waiting in force. */
const QUEUES = `
  select q.id from queues q cross join lateral (
    select v.rules from queue_rule_versions v where v.tenant_id = q.tenant_id and v.queue_id = q.id order by v.version desc limit 1) v
  where jsonb_path_exists(v.rules, '$[*].condition.wait_over_seconds')
  order by q.id`
/** Who has waited long enough for a rule that has not taken effect yet. */
const LONG_WAITING = `
  select ${ROW_COLUMNS} from tickets t
  where t.queue_id = $1 and t.status = 'en_attente' and exists (
    select from unnest($2::bigint[], $3::int[]) as r(id, seconds)
    where t.entered_at < now() - make_interval(secs => r.seconds) and not t.rule_ids @> array[r.id])
  order by t.id limit 200 for no key update of t skip locked`

/** What rules look at in a ticket that waits, as it was when it came. */
export function factsOf(row: Row, config: QueueConfig, waitSeconds: number, queueLength: number): RuleFacts {
  const arrived = microseconds(row.created_at)
  return {
    service_id: row.service_id,
    channel: row.channel,
    language: row.language,
    labels: row.labels,
    ...localTime(arrived, config.timezone),
    appointment: punctuality(row.appointment_at === null ? null : microseconds(row.appointment_at), arrived),
    wait_seconds: waitSeconds,
    queue_length: queueLength,
  }
}

/** Rules about waiting, once each for a ticket. Runs every minute for each tenant. */
export const applyRules = operation({
  id: 'tickets.applyRules',
  kind: 'mutation',
  summary: 'Apply the rules about waiting to who has waited long enough',
  scope: 'write:ticket',
  roles: ['system'],
  http: { method: 'POST', path: '/tickets/apply-rules/' },
  input: Closed({}),
  output: Closed({ count: Type.Integer({ minimum: 0 }), more: Type.Boolean() }),
  example: { input: {} },

  async run(ctx) {
    const ids = (await ctx.tx.query<{ id: number }>(QUEUES)).map(({ id }) => id)
    const configs = await queueConfigs(ctx, ids)
    const lengths = await lineLengths(ctx, configs.values())
    const moves: Move[] = []
    let more = false
    for (const id of ids) {
      const config = await queueConfig(ctx, id)
      const rules = config.rules.filter(isLater)
      const [, rows] = await Promise.all([
        holdOrder(ctx, { queue_id: id }),
        ctx.tx.query<Row>(LONG_WAITING, [
          id,
          rules.map((rule) => rule.id),
          rules.map(({ condition }) => condition.wait_over_seconds),
        ]),
      ])
      more ||= rows.length === 200
      for (const row of rows) {
        const facts = factsOf(row, config, secondsBetween(row.entered_at, row.now), lengths.get(id) ?? 0)
        const fresh = rules.filter((rule) => !row.rule_ids.includes(rule.id))
        const { priority = row.priority, notify, applied } = decide(fresh, facts)
        if (applied.length === 0) continue
        // Waiting makes nobody less urgent.
        const raised = { ...row, priority: Math.max(priority, row.priority) }
        const place = raised.priority === row.priority ? {} : await newPlace(ctx, raised, config)
        const rule_ids = [...row.rule_ids, ...applied.map((rule) => rule.id)]
        moves.push(
          advance(
            'move',
            row,
            { changes: { priority: raised.priority, rule_ids, ...place }, reason: 'rule' },
            ctx.actor,
          ),
        )
        tell(ctx, row.id, config, notify)
      }
    }
    await commitMoves(ctx, moves)
    return { count: moves.length, more: more && moves.length > 0 }
  },
})
