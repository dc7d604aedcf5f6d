import Type from 'typebox'
import { playDay, waitFigures, type Visit } from '../../../shared/staffing/day.ts'
import { MANAGERS } from '../../kernel/access.ts'
import { invalid } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Day, Enum, Id, Nullable, Text } from '../../kernel/schema.ts'
import { freshQueueConfig, isAlgorithm, AlgorithmSettingsSchema, type PublishedRule } from '../queues/index.ts'
import { loggedDay } from './log.ts'
import type { LoggedEvent } from './logged.ts'
import { enterAll, replayDay, type ReplayConfig } from './replay.ts'

const Figure = Nullable(Type.Integer({ minimum: 0 }))
const Figures = Closed({
  count: Type.Integer({ minimum: 0 }),
  mean_seconds: Figure,
  p50_seconds: Figure,
  p90_seconds: Figure,
  max_seconds: Figure,
})
const Comparison = Closed({ priority: Nullable(Type.Integer()), actual: Figures, simulated: Figures })

const DRAFT = `select id, name, condition, effect from queue_rules where queue_id = $1 and is_active order by position, id`
const VERSION = `select rules from queue_rule_versions where queue_id = $1 and version = $2`

/** What a past day would have been like. */
export const simulate = operation({
  id: 'queues.simulate',
  kind: 'mutation',
  unaudited: 'changes nothing: a past day is played in memory',
  summary: 'Play a past day of a queue again under another order, rules or staffing',
  description:
    'Without `counters` every call happens when it happened, and only who is called differs; with `counters` so many are open from the first to the last call and call whenever they are free. `identical` says that the order of calls is the recorded one. Rules of the queue are tried at its door: whom they refuse or send elsewhere does not come, whom they keep comes, and who needs a skill goes to agents who have it. Rules about waiting keep what they did on the day; with `counters` neither skills nor the length of the line are looked at.',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'POST', path: '/queues/{id}/simulate/' },
  input: Closed({
    id: Id,
    date: Day,
    algorithm: Type.Optional(Text(50, { minLength: 1 })),
    algorithm_settings: Type.Optional(AlgorithmSettingsSchema),
    /** `recorded` keeps the classes of the day, `draft` is what is not published yet, `version` names a published set. */
    rules: Type.Optional(Enum(['recorded', 'draft', 'version'], { default: 'recorded' })),
    version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
    counters: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  }),
  output: Closed({
    identical: Type.Boolean(),
    /** The whole queue first, then each class of the day. */
    waits: Type.Array(Comparison),
    unserved: Type.Integer({ minimum: 0 }),
    /** Whom the rules that were tried turned away, sent to another queue, or kept here though they were sent away. */
    refused: Type.Integer({ minimum: 0 }),
    sent_elsewhere: Type.Integer({ minimum: 0 }),
    joined: Type.Integer({ minimum: 0 }),
  }),
  example: { input: { id: 1, date: '2026-11-20', algorithm: 'aging', algorithm_settings: { boost_seconds: 600 } } },
  pool: 'reports',

  async run(ctx, input) {
    const queue = await freshQueueConfig(ctx, input.id)
    const algorithm = input.algorithm ?? queue.algorithm
    if (!isAlgorithm(algorithm)) throw invalid('/algorithm', 'unknown_algorithm')
    let rules: PublishedRule[] | null = null
    if (input.rules === 'draft') rules = await ctx.tx.query<PublishedRule>(DRAFT, [input.id])
    if (input.rules === 'version') {
      if (input.version === undefined) throw invalid('/version', 'required')
      rules = (await ctx.tx.one<{ rules: PublishedRule[] }>(VERSION, [input.id, input.version])).rules
    }
    const algorithm_settings =
      input.algorithm_settings ?? (input.algorithm === undefined ? queue.algorithm_settings : {})
    const { timezone, service_id } = queue
    const config: ReplayConfig = { algorithm, algorithm_settings, rules, timezone, service_id, queue_id: input.id }
    const events = await loggedDay(ctx.tx, input.id, input.date)
    const recorded = recordedCalls(events)
    const { calls, unserved, refused, elsewhere, joined } =
      input.counters === undefined
        ? replayDay(events, config)
        : withCounters(events, config, input.counters, queue.service.expected_duration_seconds)
    const classes = new Map(
      events.flatMap((event) =>
        event.kind === 'enter' || event.kind === 'away' ? [[event.ticket.id, event.ticket.priority]] : [],
      ),
    )
    const waits = [null, ...new Set([...classes.values()].sort((a, b) => a - b))].map((priority) => {
      const own = (list: readonly { id: number; wait_seconds: number }[]) =>
        waitFigures(
          list.flatMap(({ id, wait_seconds }) =>
            priority === null || classes.get(id) === priority ? [wait_seconds] : [],
          ),
        )
      return { priority, actual: own(recorded), simulated: own(calls) }
    })
    return {
      identical: calls.length === recorded.length && calls.every(({ id }, i) => id === recorded[i]!.id),
      waits,
      unserved,
      refused,
      sent_elsewhere: elsewhere,
      joined,
    }
  },
})

/** Calls as they were. */
export function recordedCalls(events: readonly LoggedEvent[]): { id: number; wait_seconds: number }[] {
  const entered = new Map<number, number>()
  return events.flatMap((event) => {
    if (event.kind === 'enter' || (event.kind === 'change' && !entered.has(event.ticket.id)))
      entered.set(event.ticket.id, event.at)
    if (event.kind === 'leave') entered.delete(event.id)
    if (event.kind !== 'call') return []
    const since = entered.get(event.id)
    entered.delete(event.id)
    return since === undefined ? [] : [{ id: event.id, wait_seconds: (event.at - since) / 1e6 }]
  })
}

/** The day with so many counters: everybody who came, in the order that `config` gives, leaving when they left. */
function withCounters(events: readonly LoggedEvent[], config: ReplayConfig, counters: number, usualSeconds: number) {
  const calls = new Map(events.flatMap((event) => (event.kind === 'call' ? [[event.id, event.at] as const] : [])))
  const ends = new Map(events.flatMap((event) => (event.kind === 'end' ? [[event.id, event.at] as const] : [])))
  const leaves = new Map(events.flatMap((event) => (event.kind === 'leave' ? [[event.id, event.at] as const] : [])))
  const away = new Map(
    events.flatMap((event) => (event.kind === 'away' ? [[event.ticket.id, event.service_seconds] as const] : [])),
  )
  const { people, ...counts } = enterAll(events, config)
  const start = people[0]?.at ?? 0
  const visits = people.map(({ at, rank, ticket: { id } }): Visit => {
    const called = calls.get(id)
    const end = ends.get(id)
    const left = leaves.get(id)
    return {
      id,
      arrived_at: (at - start) / 1e6,
      service_seconds:
        called !== undefined && end !== undefined ? (end - called) / 1e6 : (away.get(id) ?? usualSeconds),
      leaves_after: called === undefined && left !== undefined ? (left - at) / 1e6 : null,
      rank,
    }
  })
  const arrived = new Map(visits.map(({ id, arrived_at }) => [id, arrived_at]))
  const { served, unserved } = playDay(visits, [{ at: 0, counters }])
  return {
    calls: served.map(({ id, called_at }) => ({ id, wait_seconds: called_at - arrived.get(id)! })),
    unserved: unserved.length,
    ...counts,
  }
}
