import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { translate } from '../../kernel/i18n.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable } from '../../kernel/schema.ts'
import { queueConfig } from '../queues/index.ts'
import { withFigures } from './live/figures.ts'
import { ROW_COLUMNS, type Row } from './sql.ts'

const AHEAD = ['class', 'appointment', 'placed', 'kept', 'order'] as const
type Ahead = (typeof AHEAD)[number]
/** Those named; more are counted. */
const MOST_NAMED = 50

interface Other {
  id: number
  number: string
  priority: number
  is_called: boolean
  is_placed: boolean
  is_booked: boolean
  is_kept: boolean
}
/** People who came later and stand before the ticket, or were called before it since it entered. */
const OVERTAKERS = `
  select t.id, t.number, t.priority, t.status <> 'en_attente' as is_called, t.is_placed, t.appointment_at is not null as is_booked,
         (t.reserved_agent_id is not null or t.reserved_counter_id is not null or t.required_skill is not null) as is_kept
  from tickets me join tickets t on t.tenant_id = me.tenant_id and t.queue_id = me.queue_id and t.created_at > me.created_at
  where me.id = $1 and (
    (t.status = 'en_attente' and (t.rank, t.id) < (me.rank, me.id)) or (t.status <> 'en_attente' and t.called_at > me.entered_at))
  order by t.called_at nulls last, t.rank, t.id limit ${MOST_NAMED}`

/** Why one who came later goes first. */
function whyAhead(me: Row, other: Other): Ahead {
  if (other.is_placed) return 'placed'
  if (other.priority > me.priority) return 'class'
  if (other.is_booked) return 'appointment'
  return other.is_kept ? 'kept' : 'order'
}

export const explain = operation({
  id: 'tickets.explain',
  kind: 'query',
  summary: 'Say why a waiting ticket stands where it stands, and who goes before it and why',
  description: 'In the caller’s language. Names those who came later and go first, fifty at most.',
  scope: 'read:ticket',
  roles: STAFF,
  http: { method: 'GET', path: '/tickets/{id}/explain/' },
  input: Closed({ id: Id }),
  output: Closed({
    /** 1 is next; null unless waiting. */
    position: Nullable(Type.Integer({ minimum: 1 })),
    text: Type.String(),
    reasons: Type.Array(Closed({ code: Type.String(), text: Type.String() })),
    overtaken_by: Type.Array(
      Closed({
        ticket_id: Id,
        number: Type.String(),
        is_called: Type.Boolean(),
        code: Enum(AHEAD),
        text: Type.String(),
      }),
    ),
  }),
  example: { input: { id: 1 } },

  async run(ctx, { id }) {
    const row = await ctx.tx.one<Row>(`select ${ROW_COLUMNS} from tickets t where t.id = $1`, [id])
    const [config, [placed]] = await Promise.all([queueConfig(ctx, row.queue_id), withFigures(ctx, [row])])
    const say = (code: string, params: Record<string, string | number> = {}) =>
      translate(ctx.locale, `explain.${code}`, params, ctx.tenant.locale)
    const reason = (code: string, params?: Record<string, string | number>) => ({ code, text: say(code, params) })
    const { position } = placed!
    if (position === null) return { position, text: say('not_waiting'), reasons: [], overtaken_by: [] }

    const named = new Set(['fifo', 'priority', 'aging', 'sla', 'fair_share', 'appointment'])
    const others = await ctx.tx.query<Other>(OVERTAKERS, [id])
    const names = new Map(config.rules.map((rule) => [rule.id, rule.name]))
    const reasons = [
      reason(named.has(config.algorithm) ? `order_${config.algorithm}` : 'order_own', { name: config.algorithm }),
      ...(row.priority > 0 ? [reason('class', { priority: row.priority })] : []),
      ...row.rule_ids.flatMap((rule) => (names.has(rule) ? [reason('rule', { name: names.get(rule)! })] : [])),
      ...(row.appointment_at === null ? [] : [reason('appointment')]),
      ...(row.is_placed ? [reason('placed')] : []),
      ...(row.required_skill === null ? [] : [reason('skill', { skill: row.required_skill })]),
      ...(row.reserved_agent_id === null && row.reserved_counter_id === null ? [] : [reason('reserved')]),
      ...(row.not_before !== null && Temporal.Instant.compare(row.not_before, row.now) > 0
        ? [reason('not_before')]
        : []),
    ]
    return {
      position,
      text: say('position', { ahead: position - 1 }),
      reasons,
      overtaken_by: others.map((other) => {
        const code = whyAhead(row, other)
        const { id: ticket_id, number, is_called } = other
        return { ticket_id, number, is_called, code, text: say(`ahead_${code}`, { number, priority: other.priority }) }
      }),
    }
  },
})
