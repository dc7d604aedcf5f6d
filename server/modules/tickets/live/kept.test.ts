import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isSoak } from '../../../config.ts'
import type { Actor } from '../../../kernel/access.ts'
import { isCacheKey } from '../../../kernel/cache/key.ts'
import { SharedCache } from '../../../kernel/cache/shared.ts'
import { openDatabase } from '../../../kernel/db/index.ts'
import { AppError } from '../../../kernel/errors.ts'
import { sharedLookups } from '../../../kernel/metrics.ts'
import type { Outcome } from '../../../kernel/operation.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { PATIENT, testDatabase } from '../../../test/harness.ts'
import { startRedis } from '../../../test/redis.ts'
import { testRuntime } from '../../../test/runtime.ts'
import { operationById } from '../../index.ts'

const { db, owner, url, directUrl } = await testDatabase()
const other = await openDatabase({ url, directUrl, ...PATIENT })
/** Two processes on one database; what the second does the first hears of. */
const near = testRuntime(db)
const far = testRuntime(other)
/** And two that share a second level. */
const redis = await startRedis()
const links = redis ? [redis.link(), redis.link()] : []
const sharing = links.map((link, n) => testRuntime([db, other][n]!, new SharedCache(link, 'a key of both processes')))
afterAll(async () => {
  await redis?.close()
  await other.close()
})

const RUNS = isSoak() ? 100 : 12
/** Changed at random: afterwards its queues may be full. */
let wild: TenantFixture
let bank: TenantFixture
let clinic: TenantFixture
let displayId: number
beforeAll(async () => {
  await Promise.all(links.map((link) => link.ready(5000)))
  await Promise.all([near, far, ...sharing].map(({ hub }) => hub.start()))
  wild = await aTenant(owner, { queues: 3, agents: 2, counters: 3 })
  bank = await aTenant(owner, { queues: 3 })
  clinic = await aTenant(owner, { queues: 1 })
  await owner('update queues set recall_gap_seconds = 0')
  const rows = await owner<{ id: number }>(
    `insert into displays (tenant_id, site_id, name, queue_ids) values ($1, $2, 'Hall', '{}') returning id`,
    [wild.tenant.id, wild.sites[0]!.id],
  )
  displayId = Number(rows[0]!.id)
})

type Reading = Partial<{ actor: Actor; isFresh: boolean; runtime: typeof near; of: TenantFixture }>
function ask(id: string, input: object, { actor, isFresh, runtime = near, of = bank }: Reading = {}): Promise<Outcome> {
  const wanted = { actor: actor ?? of.admin, tenant: of.tenant, locale: 'en' as const, input, isFresh }
  return runtime.execute(operationById.get(id)!, wanted)
}
const visitor = (ticketId: number): Actor => ({
  ...wild.anonymous,
  role: 'visitor',
  principal: `visitor:${ticketId}`,
  tenantId: wild.tenant.id,
  ticketId,
})

interface Known {
  id: number
}
let recent: Known[] = []
async function look() {
  recent = await owner<Known>(
    `select id::int from tickets where tenant_id = $1
     order by status in ('appelé', 'en_service', 'en_pause') desc, id desc limit 6`,
    [wild.tenant.id],
  )
}
const ticketAt = (n: number) => recent[n % Math.max(1, recent.length)]?.id ?? 1
const queueAt = (n: number) => wild.queues[n % 3]!.id
const agentAt = (n: number) => wild.agents[n % 2]!.id

/** Whatever may change an answer: tickets, agents, counters, queues, services, sites, displays. */
const ACTS: Record<string, (a: number, b: number) => [id: string, input: object]> = {
  take: (a, b) => ['tickets.take', { queue_id: queueAt(a), channel: 'reception', priority: b % 4 }],
  callNext: (a) => ['tickets.callNext', { id: agentAt(a) }],
  start: (a) => ['tickets.start', { id: ticketAt(a) }],
  complete: (a) => ['tickets.complete', { id: ticketAt(a) }],
  hold: (a) => ['tickets.hold', { id: ticketAt(a), pool: 'queue' }],
  resume: (a, b) => ['tickets.resume', { id: ticketAt(a), agent_id: agentAt(b) }],
  noShow: (a) => ['tickets.noShow', { id: ticketAt(a) }],
  giveBack: (a) => ['tickets.return', { id: ticketAt(a), position: 'first', reason: 'r' }],
  transfer: (a, b) => ['tickets.transfer', { id: ticketAt(a), queue_id: queueAt(b) }],
  cancel: (a) => ['tickets.cancel', { id: ticketAt(a) }],
  delay: (a) => ['tickets.delay', { id: ticketAt(a), places: 1 }],
  move: (a) => ['tickets.move', { id: ticketAt(a), after_id: null, reason: 'r' }],
  undo: (a) => ['tickets.undo', { id: ticketAt(a) }],
  note: (a, b) => ['tickets.update', { id: ticketAt(a), labels: [`label ${b}`], note: `note ${b}` }],
  customer: (a, b) => ['tickets.update', { id: ticketAt(a), customer: { name: `Name ${b}`, phone: '+33612345678' } }],
  pause: (a, b) => ['agents.setStatus', { id: agentAt(a), status: b % 2 ? 'available' : 'break' }],
  rename: (a, b) => ['agents.update', { id: agentAt(a), name: `Name ${b}` }],
  skills: (a, b) => ['agents.update', { id: agentAt(a), queues: [{ queue_id: queueAt(b) }] }],
  counter: (a, b) => ['counters.update', { id: wild.counters[a % 3]!.id, name: `Counter ${b}` }],
  queue: (a, b) => ['queues.update', { id: queueAt(a), name: `Queue ${b}`, max_capacity: 3 + (b % 50) }],
  order: (a, b) => [
    'queues.update',
    { id: queueAt(a), algorithm: ['fifo', 'priority', 'aging', 'sla', 'fair_share', 'appointment'][b % 6] },
  ],
  service: (a, b) => ['services.update', { id: wild.services[a % 3]!.id, name: `Service ${b}` }],
  site: (_, b) => ['sites.update', { id: wild.sites[0]!.id, name: `Site ${b}` }],
  display: (_, b) => ['displays.update', { id: displayId, name: `Display ${b}`, queue_ids: b % 2 ? [queueAt(b)] : [] }],
  rerank: (a) => ['queues.rerank', { id: queueAt(a) }],
  refresh: () => ['queues.refresh', {}],
  closeDay: () => ['tickets.closeDay', { today: true }],
}
interface Act {
  kind: string
  a: number
  b: number
  isFar: boolean
}
async function perform({ kind, a, b, isFar }: Act) {
  await look()
  const [id, input] = ACTS[kind]!(a, b)
  await ask(id, input, { runtime: isFar ? far : near, of: wild }).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.status >= 500) throw error
  })
}

/** Figures that change by the clock alone. */
const TICKING = ['longest_wait_seconds', 'arrivals_per_hour']
const still = ({ body, status }: Outcome) => [
  status,
  JSON.parse(body, (name, value: unknown) => (TICKING.includes(name) ? undefined : value)),
]

/** Answers from memory that are not what the database says, of everything that is kept. */
async function lies(n: number, runtime = near, before?: typeof near): Promise<string[]> {
  await look()
  for (const { hub } of [runtime, before ?? []].flat())
    for (const siteId of [0, wild.sites[0]!.id]) await (await hub.tail(wild.tenant.id, siteId)).refresh()
  const queue = queueAt(n)
  const reads: [id: string, input: object, actor?: Actor][] = [
    ['queues.board', { id: queue }],
    ['queues.stats', { id: queue }],
    ['displays.board', { id: displayId }],
    ['tickets.list', { queue, ordering: 'rank', limit: 50 }],
    ['tickets.list', { queue, status: 'waiting' }],
    ['tickets.list', { site: wild.sites[0]!.id }],
    ...recent.slice(0, 3).flatMap(({ id }): [string, object, Actor?][] => [
      ['tickets.get', { id }],
      ['tickets.mine', {}, visitor(id)],
    ]),
  ]
  const wrong: string[] = []
  for (const [id, input, actor = wild.admin] of reads) {
    if (before) await ask(id, input, { actor, runtime: before, of: wild })
    const kept = still(await ask(id, input, { actor, runtime, of: wild }))
    const fresh = still(await ask(id, input, { actor, isFresh: true, of: wild }))
    if (JSON.stringify(kept) !== JSON.stringify(fresh))
      wrong.push(`${id} ${JSON.stringify(input)}\nkept  ${JSON.stringify(kept)}\nfresh ${JSON.stringify(fresh)}`)
  }
  return wrong
}

const act = fc.record<Act>({
  kind: fc.constantFrom('take', 'take', 'callNext', 'start', 'complete', ...Object.keys(ACTS)),
  a: fc.nat(1000),
  b: fc.nat(1000),
  isFar: fc.boolean(),
})
/** Random acts with reads between them; what the last run found. */
async function day(acts: readonly Act[]): Promise<string[]> {
  for (const each of acts) {
    await perform(each)
    const wrong = await lies(each.a)
    if (wrong.length) return [`after ${each.kind}${each.isFar ? ' elsewhere' : ''}:`, ...wrong]
  }
  return []
}

test('whatever happens, wherever, the answer from memory is the database’s own', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 10, size: 'max' }), async (acts) => {
      expect(await day(acts)).toEqual([])
    }),
    { numRuns: RUNS },
  )
}, 180_000)

test('control: a process that no longer notes what it hears gives old answers, and that is found', async () => {
  const tail = await near.hub.tail(wild.tenant.id, wild.sites[0]!.id)
  const listeners = [...tail.listeners]
  const all: Act[] = ['take', 'callNext', 'pause', 'take', 'note'].map((kind, i) => ({
    kind,
    a: i,
    b: i,
    isFar: false,
  }))
  try {
    tail.listeners.clear()
    expect(await day(all)).not.toEqual([])
  } finally {
    for (const listener of listeners) tail.listeners.add(listener)
    near.answers.clear()
  }
  expect(await day(all)).toEqual([])
})

test.skipIf(!redis)(
  'what another process has read is the database’s own answer too, and costs this one no statement',
  async () => {
    const [one, two] = sharing as [typeof near, typeof near]
    for (const { hub } of sharing)
      for (const { tenant, sites } of [wild, bank])
        for (const siteId of [0, sites[0]!.id]) await hub.tail(tenant.id, siteId)
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 6, size: 'max' }), async (acts) => {
        for (const [i, each] of acts.entries()) {
          await perform(each)
          const [reader, taker] = i % 2 ? [one, two] : [two, one]
          expect(await lies(each.a, taker, reader)).toEqual([])
        }
      }),
      { numRuns: 8 },
    )
    const counted = async () => {
      const { values } = await sharedLookups.get()
      return values.find(({ labels }) => labels.what === 'answer' && labels.outcome === 'found')?.value ?? 0
    }
    const input = { id: bank.queues[0]!.id }
    await ask('tickets.take', { queue_id: input.id, channel: 'reception' }, { runtime: one })
    await (await two.hub.tail(bank.tenant.id, bank.sites[0]!.id)).refresh()
    const read = await ask('queues.board', input, { runtime: one })
    const before = await counted()
    const taken = await ask('queues.board', input, { runtime: two })
    expect(await counted()).toBe(before + 1)
    expect([taken.body, taken.output, taken.kept?.etag]).toEqual([read.body, JSON.parse(read.body), read.kept?.etag])
    // Of another reader, language or input nothing is taken.
    for (const over of [{ actor: bank.supervisor }, { of: clinic }, {}])
      await ask('queues.board', { id: over.of ? clinic.queues[0]!.id : bank.queues[1]!.id }, { ...over, runtime: two })
    expect(await counted()).toBe(before + 1)
    const keys = (await links[0]!.commands.keys('*')).filter((key) => key.includes(':cache:answer@'))
    expect(keys.length).toBeGreaterThan(2)
    for (const key of keys) expect(isCacheKey(key.slice('smartqueue:cache:'.length)), key).toBe(true)
  },
  120_000,
)

test.skipIf(!redis)('control: an answer of another process that has heard less is not taken', async () => {
  const [one, two] = sharing as [typeof near, typeof near]
  const input = { queue: bank.queues[1]!.id, status: 'waiting', limit: 9 }
  const tail = await one.hub.tail(bank.tenant.id, bank.sites[0]!.id)
  await ask('tickets.list', input, { runtime: one })
  const listeners = [...tail.listeners]
  tail.listeners.clear()
  try {
    // The first goes on with what it kept, and offers it; the second knows better.
    await ask('tickets.take', { queue_id: input.queue, channel: 'reception' }, { runtime: two })
    await tail.refresh()
    const [old, own] = [
      await ask('tickets.list', input, { runtime: one }),
      await ask('tickets.list', input, { runtime: two }),
    ]
    expect(own.body).not.toBe(old.body)
    expect(still(own)).toEqual(still(await ask('tickets.list', input, { isFresh: true })))
  } finally {
    for (const listener of listeners) tail.listeners.add(listener)
    one.answers.clear()
  }
})

test('an unchanged queue is answered without the database, and says at which place of the stream', async () => {
  const input = { id: bank.queues[0]!.id }
  const tail = await near.hub.tail(bank.tenant.id, bank.sites[0]!.id)
  await ask('queues.board', input)
  const first = await ask('queues.board', input)
  expect(first.kept).toBeDefined()
  expect(await ask('queues.board', input)).toBe(first)
  const [epoch, offset] = first.kept!.position.split(':')
  expect(epoch).toBe(tail.epoch)
  expect(Number(offset)).toBeLessThanOrEqual(tail.offset)
  // What happens in another queue of the site is another queue's business.
  await ask('tickets.take', { queue_id: bank.queues[1]!.id, channel: 'reception' })
  expect((await ask('queues.board', input)).kept).toBe(first.kept)
  await ask('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'reception' })
  const next = await ask('queues.board', input)
  expect(next.kept?.etag).not.toBe(first.kept!.etag)
  expect(Number(next.kept!.position.split(':')[1])).toBeGreaterThan(Number(offset))
})

test('who is not known to be in step with the database keeps nothing', async () => {
  const input = { id: bank.queues[0]!.id }
  const tail = await near.hub.tail(bank.tenant.id, bank.sites[0]!.id)
  await ask('queues.board', input)
  expect((await ask('queues.board', input)).kept).toBeDefined()
  // As if no poll had come back for a while.
  tail.wholeAt = -Infinity
  expect((await ask('queues.board', input)).kept).toBeUndefined()
  await tail.refresh()
  expect((await ask('queues.board', input)).kept).toBeDefined()
})

test('tenants, roles and limits never share an answer; access is checked each time', async () => {
  const input = { id: bank.queues[0]!.id }
  await ask('queues.board', input)
  const kept = await ask('queues.board', input)
  expect((await ask('queues.board', input, { actor: bank.supervisor })).body).toBe(kept.body)
  expect((await ask('queues.board', input, { actor: bank.supervisor })).kept).not.toBe(kept.kept)
  await expect(ask('queues.board', input, { of: clinic })).rejects.toMatchObject({ status: 404 })
  await expect(ask('queues.board', input, { actor: bank.display })).rejects.toMatchObject({ status: 403 })
  const narrow = { ...bank.admin, scopes: new Set(['read:ticket']) }
  await expect(ask('queues.board', input, { actor: narrow })).rejects.toMatchObject({ status: 403 })
})

test('callers at once share one read', async () => {
  const input = { queue: bank.queues[2]!.id, status: 'waiting', limit: 7 }
  await ask('tickets.list', input)
  await ask('tickets.take', { queue_id: bank.queues[2]!.id, channel: 'reception' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('tickets.list', input)))
  expect(new Set(answers.map(({ kept }) => kept)).size).toBe(1)
  expect(answers[0]!.kept).toBeDefined()
})
