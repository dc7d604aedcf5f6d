import { conflict } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import {
  asksTheHour,
  decide,
  isLater,
  localTime,
  longestLine,
  punctuality,
  queueConfigs,
  type Decision,
  type QueueConfig,
  type RuleFacts,
} from '../queues/index.ts'
import { languageOf, type Route, type Taking } from './newcomer.ts'
import { microseconds } from './time.ts'

/** People who enter and are counted by rules: the queues, their lengths, the clock. */
export interface Entrance {
  configs: ReadonlyMap<number, QueueConfig>
  lengths: ReadonlyMap<number, number>
  now: string | null
}

/** Queues that rules send on to, from each to the next. */
const MOST_HOPS = 3

/** The configurations with those of the queues that rules may send people to. */
export async function withTargets(ctx: Context, configs: Map<number, QueueConfig>): Promise<Map<number, QueueConfig>> {
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const targets = [...configs.values()].flatMap(({ rules }) => rules.flatMap(({ effect }) => effect.queue_id ?? []))
    const missing = targets.filter((id) => !configs.has(id))
    if (missing.length === 0) break
    for (const [id, config] of await queueConfigs(ctx, missing)) configs.set(id, config)
  }
  return configs
}

const LENGTHS = `
  select w.queue_id, (select count(*) from (
      select from tickets t where t.queue_id = w.queue_id and t.status = 'en_attente' limit w.most + 1) counted)::int as length
  from unnest($1::bigint[], $2::int[]) as w(queue_id, most)`

/** How long the lines are, as far as a rule asks. */
export async function lineLengths(ctx: Context, configs: Iterable<QueueConfig>): Promise<Map<number, number>> {
  const asked = [...configs].flatMap(({ id, rules }) => {
    const most = longestLine(rules)
    return most === null ? [] : [{ id, most }]
  })
  if (asked.length === 0) return new Map()
  const rows = await ctx.tx.query<{ queue_id: number; length: number }>(LENGTHS, [
    asked.map(({ id }) => id),
    asked.map(({ most }) => most),
  ])
  return new Map(rows.map(({ queue_id, length }) => [queue_id, length]))
}

/** Whether rules of these queues look at the clock. */
export const rulesAskTheHour = (configs: Iterable<QueueConfig>): boolean =>
  [...configs].some(({ rules }) => rules.some(asksTheHour))

/** Follows the rules of the queue a newcomer asked for, and of those it is sent on to. */
export function route(ctx: Context, taking: Taking, asked: QueueConfig, entrance: Entrance): Route {
  const { input, locale, appointment_at } = taking
  const arrived = entrance.now === null ? null : microseconds(entrance.now)
  const found: Route = {
    config: asked,
    priority: input.priority ?? 0,
    required_skill: null,
    applied: [],
    notify: [],
    refusal: undefined,
  }
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const { config } = found
    const rules = config.rules.filter((rule) => !isLater(rule))
    if (rules.length === 0) break
    const facts: RuleFacts = {
      service_id: config.service_id,
      channel: input.channel,
      language: languageOf(taking),
      labels: input.labels ?? [],
      ...localTime(arrived, config.timezone),
      appointment: punctuality(appointment_at === undefined ? null : microseconds(appointment_at), arrived ?? 0),
      wait_seconds: 0,
      queue_length: entrance.lengths.get(config.id) ?? 0,
    }
    const decision = decide(rules, facts)
    if (decision.priority !== undefined) found.priority = decision.priority
    if (decision.required_skill !== undefined) found.required_skill = decision.required_skill
    found.applied = [...found.applied, ...decision.applied]
    found.notify = [...found.notify, ...decision.notify]
    if (decision.refuse) {
      const { reason } = decision.refuse
      const text = reason[locale] ?? reason[ctx.tenant.locale] ?? Object.values(reason)[0] ?? ''
      found.refusal = conflict('refused_by_rule', { reason: text })
    }
    const next = decision.queue_id === undefined ? undefined : entrance.configs.get(decision.queue_id)
    if (!next || decision.refuse) break
    found.config = next
  }
  return found
}

/** Tells those whom rules name; whoever listens to the log sends it on. */
export function tell(ctx: Context, ticketId: number, { site_id, id }: QueueConfig, notify: Decision['notify']): void {
  for (const { rule, role, message } of notify) {
    ctx.emit({
      type: 'rule.notified',
      site_id,
      queue_id: id,
      ticket_id: ticketId,
      data: { rule: { id: rule.id, name: rule.name }, role, message },
    })
  }
}
