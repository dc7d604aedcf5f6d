import Type from 'typebox'
import { MANAGERS, STAFF } from '../../../kernel/access.ts'
import { conflict, invalid, notFound } from '../../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../../kernel/operation.ts'
import { Closed, Id, Nullable, Text, Time } from '../../../kernel/schema.ts'
import { enqueueRerank } from '../rerank-job.ts'
import { Condition, Effect } from '../schema.ts'
import type { PublishedRule } from './engine.ts'

const Rule = Closed({ id: Id, name: Type.String(), condition: Condition, effect: Effect })
const Version = Closed({
  version: Type.Integer({ minimum: 1 }),
  rules: Type.Array(Rule),
  note: Type.String(),
  published_by: Type.String(),
  published_at: Time,
})
type Version = Type.Static<typeof Version>

const DRAFT = `
  select id, name, condition, effect from queue_rules where queue_id = $1 and is_active order by position, id`
const VERSIONS = `
  select version, rules, note, published_by, published_at from queue_rule_versions where queue_id = $1 order by version desc`

const checkQueue = (ctx: Context, id: number) =>
  ctx.tx.one<{ site_id: number }>('select site_id from queues where id = $1', [id])

const list = operation({
  id: 'queues.ruleVersions',
  kind: 'query',
  summary: 'List the published rule sets of a queue, the present one first',
  scope: 'read:queue',
  roles: STAFF,
  http: { method: 'GET', path: '/queues/{id}/rule-versions/' },
  input: Closed({ id: Id }),
  output: Closed({ results: Type.Array(Version) }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    await checkQueue(ctx, id)
    return { results: await ctx.tx.query<Version>(`${VERSIONS} limit 200`, [id]) }
  },
})

/** Rules by what happens to them on the way from one set to another. Order counts: a rule that moves has changed. */
function rulesDiff(from: readonly PublishedRule[], to: readonly PublishedRule[]) {
  const before = new Map(from.map((rule, position) => [rule.id, { ...rule, position }]))
  const after = new Map(to.map((rule, position) => [rule.id, { ...rule, position }]))
  const kept = to.filter(({ id }) => before.has(id)).map(({ id }) => id)
  const keptBefore = from.filter(({ id }) => after.has(id)).map(({ id }) => id)
  const text = ({ name, condition, effect }: PublishedRule) => JSON.stringify([name, sorted(condition), sorted(effect)])
  return {
    added: to.filter(({ id }) => !before.has(id)),
    removed: from.filter(({ id }) => !after.has(id)),
    changed: kept.flatMap((id, i) =>
      text(before.get(id)!) !== text(after.get(id)!) || keptBefore[i] !== id
        ? [{ id, before: from.find((rule) => rule.id === id)!, after: to.find((rule) => rule.id === id)! }]
        : [],
    ),
  }
}
const sorted = (value: object): unknown => Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))

const diff = operation({
  id: 'queues.ruleDiff',
  kind: 'query',
  summary: 'What publishing the draft of a queue’s rules would change',
  description: 'Against the version in force, or the one given.',
  scope: 'read:queue',
  roles: STAFF,
  http: { method: 'GET', path: '/queues/{id}/rule-diff/' },
  input: Closed({ id: Id, version: Type.Optional(Type.Integer({ minimum: 1 })) }),
  output: Closed({
    version: Nullable(Type.Integer()),
    added: Type.Array(Rule),
    removed: Type.Array(Rule),
    changed: Type.Array(Closed({ id: Id, before: Rule, after: Rule })),
  }),
  example: { input: { id: 1 } },
  async run(ctx, { id, version }) {
    await checkQueue(ctx, id)
    const versions = await ctx.tx.query<Version>(VERSIONS, [id])
    const from = version === undefined ? versions[0] : versions.find((each) => each.version === version)
    if (version !== undefined && !from) throw notFound()
    return {
      version: from?.version ?? null,
      ...rulesDiff(from?.rules ?? [], await ctx.tx.query<PublishedRule>(DRAFT, [id])),
    }
  },
})

/** What a rule may do to people who wait already. */
function checkLater(rules: readonly PublishedRule[]): void {
  for (const [i, { condition, effect }] of rules.entries()) {
    const isPossible = effect.priority !== undefined || effect.notify !== undefined
    if (condition.wait_over_seconds !== undefined && !isPossible)
      throw invalid(`/rules/${i}/effect`, 'not_while_waiting')
  }
}

async function publish(ctx: Context, queueId: number, rules: readonly PublishedRule[], note: string): Promise<Version> {
  checkLater(rules)
  // The queue's row makes publications take turns.
  const { site_id } = await ctx.tx.one<{ site_id: number }>(
    'select site_id from queues where id = $1 for no key update',
    [queueId],
  )
  const published = await ctx.tx.one<Version>(
    `insert into queue_rule_versions (queue_id, version, rules, note, published_by)
     select $1, coalesce(max(version), 0) + 1, $2::jsonb, $3, $4 from queue_rule_versions where queue_id = $1
     returning version, rules, note, published_by, published_at`,
    [queueId, JSON.stringify(rules), note, ctx.actor.principal],
  )
  await enqueueRerank(ctx, queueId)
  ctx.emit({ type: 'queue.rules_published', site_id, queue_id: queueId, data: { version: published.version } })
  return published
}

const publishRules = operation({
  id: 'queues.publishRules',
  kind: 'mutation',
  summary: 'Put the draft of a queue’s rules in force',
  description: 'The active rules of `/queue-rules/` become a new version. Those who wait are looked at anew.',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/queues/{id}/publish-rules/', status: 201 },
  input: Closed({ id: Id, note: Type.Optional(Text(500)) }),
  output: Version,
  example: { input: { id: 1, note: 'Guichet PMR' } },
  async run(ctx, { id, note = '' }) {
    return publish(ctx, id, await ctx.tx.query<PublishedRule>(DRAFT, [id]), note)
  },
})

const RESTORE = `
  insert into queue_rules (id, queue_id, position, name, condition, effect)
  select r.id, $1, r.n - 1, r.name, r.condition, r.effect
  from jsonb_array_elements($2::jsonb) with ordinality as e(rule, n),
       lateral (select (rule ->> 'id')::bigint as id, rule ->> 'name' as name, rule -> 'condition' as condition, rule -> 'effect' as effect, n) r
  on conflict (tenant_id, id) do update
  set position = excluded.position, name = excluded.name, condition = excluded.condition, effect = excluded.effect, is_active = true,
      updated_at = now()`

const rollBack = operation({
  id: 'queues.rollBackRules',
  kind: 'mutation',
  summary: 'Put an earlier rule set of a queue in force again',
  description: 'As a new version, and as the draft: rules that are not in it become inactive.',
  scope: 'write:queue',
  roles: MANAGERS,
  http: { method: 'POST', path: '/queues/{id}/roll-back-rules/', status: 201 },
  input: Closed({ id: Id, version: Type.Integer({ minimum: 1 }), note: Type.Optional(Text(500)) }),
  output: Version,
  example: { input: { id: 1, version: 2 } },
  async run(ctx, { id, version, note = '' }) {
    await checkQueue(ctx, id)
    const versions = await ctx.tx.query<Version>(VERSIONS, [id])
    const wanted = versions.find((each) => each.version === version)
    if (!wanted) throw notFound()
    if (versions[0]!.version === version) throw conflict('rules_in_force')
    await ctx.tx.query('update queue_rules set is_active = false, updated_at = now() where queue_id = $1', [id])
    await ctx.tx.query(RESTORE, [id, JSON.stringify(wanted.rules)])
    return publish(ctx, id, wanted.rules, note)
  },
})

export const ruleVersionOperations: readonly Operation[] = [list, diff, publishRules, rollBack]
