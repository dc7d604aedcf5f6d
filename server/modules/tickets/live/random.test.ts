import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { AppError } from '../../../kernel/errors.ts'
import { isSoak } from '../../../config.ts'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import * as agents from '../../agents/index.ts'
import * as queues from '../../queues/index.ts'
import type { TicketStatus } from '../../../../shared/ticket-status.ts'
import * as tickets from '../index.ts'
import { TRANSITIONS, type Verb } from '../rules.ts'
import { loadSite } from './sites.ts'
import { Follower } from './test/follow.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, [...queues.operations, ...agents.operations, ...tickets.operations])

let branch: TenantFixture
/** One that names two queues and one that shows all. */
let displays: number[]
let run: ReturnType<typeof as>
beforeAll(async () => {
  branch = await aTenant(owner, { queues: 3, agents: 2, counters: 3 })
  run = as(branch.admin, branch.tenant)
  await owner(
    `update queues set recall_gap_seconds = 0, algorithm = case when id % 2 = 0 then 'priority' else 'fifo' end`,
  )
  const rows = await owner<{ id: number }>(
    `insert into displays (tenant_id, site_id, name, queue_ids) values ($1, $2, 'Hall', $3), ($1, $2, 'All', '{}') returning id`,
    [branch.tenant.id, branch.sites[0]!.id, branch.queues.slice(0, 2).map(({ id }) => id)],
  )
  displays = rows.map(({ id }) => id)
  await run('agents.update', {
    id: branch.agents[1]!.id,
    queues: branch.queues.slice(1).map(({ id }) => ({ queue_id: id })),
  })
})

/** Any wish, sensible or not: refusals are part of a day. */
const ACTS = {
  take: (a, b) => run('tickets.take', { queue_id: branch.queues[a % 3]!.id, channel: 'reception', priority: b % 4 }),
  callNext: (a) => run('tickets.callNext', { id: branch.agents[a % 2]!.id }),
  call: (a, b) => run('tickets.call', { id: aTicket(a, 'call'), agent_id: branch.agents[b % 2]!.id }),
  recall: (a) => run('tickets.recall', { id: aTicket(a, 'recall') }),
  start: (a) => run('tickets.start', { id: aTicket(a, 'start') }),
  complete: (a, b) => run('tickets.complete', { id: aTicket(a, 'complete'), wrap_up: b % 2 === 0 }),
  hold: (a) => run('tickets.hold', { id: aTicket(a, 'hold'), pool: 'queue' }),
  resume: (a, b) => run('tickets.resume', { id: aTicket(a, 'resume'), agent_id: branch.agents[b % 2]!.id }),
  noShow: (a) => run('tickets.noShow', { id: aTicket(a, 'no_show') }),
  giveBack: (a, b) =>
    run('tickets.return', { id: aTicket(a, 'return'), position: ['first', 'last', 'arrival'][b % 3], reason: 'r' }),
  transfer: (a, b) => run('tickets.transfer', { id: aTicket(a, 'transfer'), queue_id: branch.queues[b % 3]!.id }),
  cancel: (a) => run('tickets.cancel', { id: aTicket(a, 'cancel') }),
  delay: (a) => run('tickets.delay', { id: aTicket(a, 'delay'), places: 1 }),
  move: (a, b) =>
    run('tickets.move', { id: aTicket(a, 'move'), after_id: b % 2 ? aTicket(b, 'move') : null, reason: 'r' }),
  undo: (a) => run('tickets.undo', { id: aTicket(a) }),
  pause: (a, b) =>
    run('agents.setStatus', { id: branch.agents[a % 2]!.id, status: ['available', 'break', 'wrap_up'][b % 3] }),
  refresh: () => run('queues.refresh'),
} satisfies Record<string, (a: number, b: number) => Promise<unknown>>
type Act = { kind: keyof typeof ACTS; a: number; b: number }

interface Known {
  id: number
  status: TicketStatus
}
let recent: Known[] = []
/** One of those the verb may be meant for; now and then any. */
function aTicket(n: number, verb?: Verb): number {
  const meant = verb && n % 5 ? recent.filter(({ status }) => TRANSITIONS[verb].from.includes(status as never)) : recent
  const among = meant.length ? meant : recent
  return among[n % Math.max(1, among.length)]?.id ?? 1
}
/** Those at the counters and the newest of the others. */
async function look() {
  recent = await owner<Known>(
    `select id::int, status from tickets where tenant_id = $1
     order by status in ('appelé', 'en_service', 'en_pause') desc, id desc limit 12`,
    [branch.tenant.id],
  )
}
async function perform({ kind, a, b }: Act) {
  await look()
  try {
    await ACTS[kind](a, b)
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
  }
}

const act = fc.record<Act>({
  kind: fc.constantFrom(
    'take',
    'take',
    'callNext',
    'callNext',
    'start',
    'complete',
    ...(Object.keys(ACTS) as Act['kind'][]),
  ),
  a: fc.nat(1000),
  b: fc.nat(1000),
})

/** Position by position against the database's own order. */
async function projectionErrors(): Promise<string[]> {
  const live = await loadSite(runtime.hub, branch.tenant.id, branch.sites[0]!.id)
  const rows = await owner<{ id: number; queue_id: number; rank: number; ahead: number }>(
    `select id, queue_id, rank, (row_number() over (partition by queue_id order by rank, id) - 1)::int as ahead
     from tickets where tenant_id = $1 and status = 'en_attente'`,
    [branch.tenant.id],
  )
  const wrong = rows.filter((row) => live.ahead(row.queue_id, Number(row.rank), Number(row.id)) !== row.ahead)
  const counts = Map.groupBy(rows, (row) => Number(row.queue_id))
  const lengths = branch.queues.filter(({ id }) => live.waitingCount(id) !== (counts.get(id)?.length ?? 0))
  return [...wrong.map((row) => `ticket ${row.id}`), ...lengths.map(({ id }) => `queue ${id}`)]
}

/** Lists of commands that are played; whoever checks a release plays more. */
const RUNS = isSoak() ? 1000 : 40

/** Random days, joined at a random moment. Throws at the first difference; resolves with the number of frames. */
async function followDays(numRuns: number, forgets: string | null = null): Promise<number> {
  let followed = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 8, size: 'max' }),
      fc.array(act, { minLength: 1, maxLength: 10, size: 'max' }),
      fc.nat(5),
      async (before, after, who) => {
        for (const each of before) await perform(each)
        await look()
        const open = (name: string, params: Record<string, string> = {}, actor = branch.admin) =>
          Follower.open(runtime, branch.tenant, actor, name, params)
        const visitor = {
          ...branch.anonymous,
          role: 'visitor' as const,
          tenantId: branch.tenant.id,
          ticketId: aTicket(who),
        }
        const followers = await Promise.all([
          open('queue', { queue_id: String(branch.queues[who % 3]!.id) }),
          open('display', { display_id: String(displays[who % 2]!) }),
          open('agent', { agent_id: String(branch.agents[who % 2]!.id) }),
          open('site', { site_id: String(branch.sites[0]!.id) }),
          ...(recent.length ? [open('ticket', {}, visitor)] : []),
        ])
        for (const follower of followers) follower.forgets = forgets
        // Some act at once.
        await Promise.all(after.slice(4).map(perform))
        for (const each of after.slice(0, 4)) await perform(each)
        for (const follower of followers) {
          await follower.catchUp()
          expect(await follower.differences()).toEqual([])
          followed += follower.frames.length
        }
        expect(await projectionErrors()).toEqual([])
      },
    ),
    { numRuns, endOnFailure: forgets !== null },
  )
  return followed
}

test(`whoever joins at any moment of any of ${RUNS} days sees what a fresh snapshot shows`, async () => {
  expect(await followDays(RUNS)).toBeGreaterThan(RUNS * 3)
}, 600_000)

test.each(['ticket.called', 'ticket.transferred'])(
  'control: a view that forgets %s is found out',
  async (type) => {
    await expect(followDays(RUNS, type)).rejects.toThrow('Property failed')
  },
  600_000,
)
