import Type from 'typebox'
import { STAFF } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { translate } from '../../kernel/i18n.ts'
import { operation, type Context } from '../../kernel/operation.ts'
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
  order by t.called_at nulls last, t.rank, t.id limit $2`

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
    const { row, position, say, reasons, others } = await explained(ctx, id, MOST_NAMED, '')
    return {
      position,
      text: position === null ? say('not_waiting') : say('position', { ahead: position - 1 }),
      reasons,
      overtaken_by: others.map((other) => {
        const code = whyAhead(row, other)
        const { id: ticket_id, number, is_called } = other
        return { ticket_id, number, is_called, code, text: say(`ahead_${code}`, { number, priority: other.priority }) }
      }),
    }
  },
})

/** Those counted for a visitor. */
const MOST_COUNTED = 500

/** The same for who waits: in the second person, and of the others only how many and why. */
export const explainMine = operation({
  id: 'tickets.explainMine',
  kind: 'query',
  summary: 'Why I stand where I stand, and why somebody who came later went before me',
  description:
    'In my language. Others are counted by reason and never named: neither numbers nor classes, rules or skills of anybody are told.',
  scope: null,
  roles: ['visitor'],
  http: { method: 'GET', path: '/t/{token}/explain/', base: 'root' },
  input: Closed({}),
  output: Closed({
    /** 1 is next; null unless waiting. */
    position: Nullable(Type.Integer({ minimum: 1 })),
    text: Type.String(),
    reasons: Type.Array(Closed({ code: Type.String(), text: Type.String() })),
    overtaken_by: Type.Array(Closed({ code: Enum(AHEAD), count: Type.Integer({ minimum: 1 }), text: Type.String() })),
  }),
  example: { input: {} },

  async run(ctx) {
    const { ticketId } = ctx.actor
    if (ticketId === null) throw notFound()
    const { row, position, say, reasons, others } = await explained(ctx, ticketId, MOST_COUNTED, 'mine_')
    const counts = Map.groupBy(others, (other) => whyAhead(row, other))
    return {
      position,
      text: position === null ? say('mine_not_waiting') : say('mine_position', { ahead: position - 1 }),
      reasons,
      overtaken_by: AHEAD.flatMap((code) => {
        const count = counts.get(code)?.length ?? 0
        return count === 0 ? [] : [{ code, count, text: say(`mine_ahead_${code}`, { count }) }]
      }),
    }
  },
})

/** The algorithms that have a text of their own. */
const NAMED = new Set(['fifo', 'priority', 'aging', 'sla', 'fair_share', 'appointment'])

/** What both explanations are made of. @param whose `mine_` speaks to the person and keeps names of rules and skills inside */
async function explained(ctx: Context, id: number, most: number, whose: '' | 'mine_') {
  const row = await ctx.tx.one<Row>(`select ${ROW_COLUMNS} from tickets t where t.id = $1`, [id])
  const [config, [placed]] = await Promise.all([queueConfig(ctx, row.queue_id), withFigures(ctx, [row])])
  const say = (code: string, params: Record<string, string | number> = {}) =>
    translate(ctx.locale, `explain.${code}`, params, ctx.tenant.locale)
  const reason = (code: string, text: string, params?: Record<string, string | number>) => [
    { code, text: say(text, params) },
  ]
  const { position } = placed!
  if (position === null) return { row, position, say, reasons: [], others: [] }
  const own = (code: string, params?: Record<string, string | number>) => reason(code, whose + code, params)
  const others = await ctx.tx.query<Other>(OVERTAKERS, [id, most])
  const names = new Map(config.rules.map((rule) => [rule.id, rule.name]))
  const rules = row.rule_ids.filter((rule) => names.has(rule))
  const order = NAMED.has(config.algorithm) ? `order_${config.algorithm}` : `${whose}order_own`
  const reasons = [
    ...reason(order.replace('mine_', ''), order, { name: config.algorithm }),
    ...(row.priority > 0 ? own('class', { priority: row.priority }) : []),
    ...rules.slice(0, whose === '' ? undefined : 1).flatMap((rule) => own('rule', { name: names.get(rule)! })),
    ...(row.appointment_at === null ? [] : own('appointment')),
    ...(row.is_placed ? own('placed') : []),
    ...(row.required_skill === null ? [] : own('skill', { skill: row.required_skill })),
    ...(row.reserved_agent_id === null && row.reserved_counter_id === null ? [] : own('reserved')),
    ...(row.not_before !== null && Temporal.Instant.compare(row.not_before, row.now) > 0 ? own('not_before') : []),
  ]
  return { row, position, say, reasons, others }
}
