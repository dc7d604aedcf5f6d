import { MANAGERS, STAFF, type Role } from '../../kernel/access.ts'
import { extend } from '../../kernel/derived.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import type { Operation } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Id } from '../../kernel/schema.ts'
import { isAlgorithm } from './ranking.ts'
import { enqueueRerank } from './rerank-job.ts'
import { queueFields, ruleFields, Status } from './schema.ts'
import { ruleVersionOperations } from './rules/versions.ts'
import { announceStatus, statusesOf } from './status.ts'

export {
  freshQueueConfig,
  openState,
  placeOfQueue,
  queueConfig,
  queueConfigs,
  type OpenState,
  type QueueConfig,
} from './config.ts'
export type { Algorithm, AlgorithmSettings, Line, Rank, RankedTicket } from './algorithm.ts'
export { RERANK } from './rerank-job.ts'
export { queueStatus } from './queue-status.ts'
export {
  absoluteRank,
  isAlgorithm,
  looksAtClock,
  rankInTurn,
  rankOf,
  registerAlgorithms,
  remembers,
  shareOf,
  type RankingConfig,
} from './ranking.ts'
export { edges } from './graphql.ts'
export {
  asksTheHour,
  decide,
  isLater,
  localTime,
  longestLine,
  punctuality,
  type Decision,
  type PublishedRule,
  type RuleFacts,
} from './rules/engine.ts'
export { AlgorithmSettings as AlgorithmSettingsSchema, Status as QueueStatus } from './schema.ts'

/** Kiosks and screens show lines too. */
const READERS: readonly Role[] = [...STAFF, 'kiosk', 'display']
const shared = {
  scopes: { read: 'read:queue', write: 'write:queue' },
  roles: { read: READERS, write: MANAGERS },
} as const
const isActive = { schema: queueFields.is_active, where: 'is_active = $1' }

const queues = resource({
  ...shared,
  noun: 'queues',
  singular: 'queue',
  table: 'queues',
  fields: queueFields,
  fixed: ['site_id', 'service_id'],
  filters: {
    site: { schema: Id, where: 'site_id = $1' },
    service: { schema: Id, where: 'service_id = $1' },
    is_active: isActive,
  },
  search: ['name'],
  orderings: ['name', 'created_at'],
  example: { site_id: 1, service_id: 1, name: 'Cartes d’identité', algorithm: 'fifo', max_capacity: 200 },
  constraints: { queues_tenant_id_site_id_service_id_key: () => conflict('queue_exists') },
  siteOf: (queue) => queue.site_id,
  async prepare(ctx, queue, before) {
    if (!isAlgorithm(queue.algorithm)) throw invalid('/algorithm', 'unknown_algorithm')
    if (queue.number_last <= queue.number_first) throw invalid('/number_last', 'range')
    if (before && orderOf(before) !== orderOf(queue)) await enqueueRerank(ctx, before.id)
    if (queue.number_prefix !== undefined) return queue
    const { code } = await ctx.tx.one<{ code: string }>('select code from services where id = $1', [queue.service_id])
    return { ...queue, number_prefix: code }
  },
})

const orderOf = (queue: { algorithm: string; algorithm_settings: object }) =>
  JSON.stringify([queue.algorithm, Object.entries(queue.algorithm_settings).sort()])

const queueOperations = extend(queues, {
  table: 'queues',
  properties: { status: Status },
  async derive(ctx, rows) {
    const statuses = await statusesOf(
      ctx.tx,
      rows.map((row) => row.id),
    )
    return rows.map((row) => ({ status: statuses.get(row.id) }))
  },
  written: (ctx, row) => announceStatus(ctx.tx, row.id),
  event: (_ctx, event, row) => ({
    ...event,
    queue_id: row.id,
    data: { queue: { ...(event.data['queue'] as object), ...row } },
  }),
})

const rules = resource({
  ...shared,
  noun: 'queue-rules',
  singular: 'queue_rule',
  table: 'queue_rules',
  fields: ruleFields,
  fixed: ['queue_id'],
  filters: { queue: { schema: Id, where: 'queue_id = $1' }, is_active: isActive },
  search: ['name'],
  orderings: ['position', 'name', 'created_at'],
  example: {
    queue_id: 1,
    name: 'Passé 17 h, plus de passeports',
    condition: { hours: { from: '17:00', to: '23:59' } },
    effect: { refuse: { reason: { fr: 'Les passeports se demandent avant 17 h.', en: 'Passports until 5 pm.' } } },
  },
  async prepare(ctx, rule) {
    const target = rule.effect.queue_id
    if (target === undefined) return rule
    if (target === rule.queue_id) throw invalid('/effect/queue_id', 'same_queue')
    const [row] = await ctx.tx.query<{ is_near: boolean }>(
      'select a.site_id = b.site_id as is_near from queues a, queues b where a.id = $1 and b.id = $2',
      [rule.queue_id, target],
    )
    if (!row?.is_near) throw invalid('/effect/queue_id', 'not_found')
    return rule
  },
})

export const operations: readonly Operation[] = [...queueOperations, ...rules.operations, ...ruleVersionOperations]
