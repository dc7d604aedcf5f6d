import type { Ticket } from '../schema.ts'
import type { Actor } from '../../../kernel/access.ts'
import type { Database } from '../../../kernel/db/types.ts'
import type { Direct } from '../../../kernel/db/index.ts'
import type { Runtime } from '../../../kernel/execute.ts'
import { TicketStatus, type TicketStatusName } from '../../../../shared/ticket-status.ts'
import { aTenant, type TenantFixture, type TenantShape } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { operations as queueOperations } from '../../queues/index.ts'
import { operations as siteOperations } from '../../sites/index.ts'
import { operations } from '../index.ts'

type Run = ReturnType<ReturnType<typeof caller>>
export interface Branch extends TenantFixture {
  as(actor: Actor): Run
  /** Everything as the supervisor. */
  run: Run
  take(input?: Record<string, unknown>): Promise<Ticket & { public_token: string }>
  callNext(agentIndex?: number): Promise<Ticket | null>
  /** A new ticket of the first queue, brought into a state by the first free agent and the operations. */
  inState(name: TicketStatusName): Promise<Ticket>
  setQueue(changes: Record<string, unknown>, queueIndex?: number): Promise<unknown>
  /** The row as stored, all columns. */
  row(id: number): Promise<Record<string, any>>
  /** Types of the events about a ticket, in order. */
  events(id: number): Promise<string[]>
  /** The waiting tickets of a queue in the order of service. */
  line(queueIndex?: number): Promise<number[]>
}
export interface Lab {
  db: Database
  owner: Direct['query']
  runtime: Runtime
  branch(shape?: TenantShape): Promise<Branch>
}

/** A database of the test file's own, and branches in it that work through the operations. */
export async function aLab(): Promise<Lab> {
  const { db, owner } = await testDatabase()
  const runtime = testRuntime(db)
  const as = caller(runtime, [...operations, ...queueOperations, ...siteOperations])
  return { db, owner, runtime, branch: async (shape) => branchOf(owner, as, await aTenant(owner, shape)) }
}

function branchOf(owner: Direct['query'], as: ReturnType<typeof caller>, t: TenantFixture): Branch {
  const run = as(t.supervisor, t.tenant)
  const take: Branch['take'] = (input) =>
    run('tickets.take', { queue_id: t.queues[0]!.id, channel: 'reception', ...input })
  const callNext: Branch['callNext'] = async (i = 0) => (await run('tickets.callNext', { id: t.agents[i]!.id })).ticket
  const path: Record<TicketStatusName, readonly string[]> = {
    waiting: [],
    called: ['call'],
    serving: ['call', 'start'],
    held: ['call', 'start', 'hold'],
    completed: ['call', 'start', 'complete'],
    no_show: ['call', 'noShow'],
    cancelled: ['cancel'],
    expired: ['closeDay'],
  }
  return {
    ...t,
    run,
    take,
    callNext,
    as: (actor) => as(actor, t.tenant),
    async inState(name) {
      let ticket: Ticket = await take()
      for (const verb of path[name]) {
        if (verb === 'closeDay') await run('tickets.closeDay', { today: true })
        else
          ticket = await run(`tickets.${verb}`, {
            id: ticket.id,
            ...(verb === 'call' && { agent_id: await freeAgent(owner, t) }),
          })
      }
      if (name === 'expired') ticket = await run('tickets.get', { id: ticket.id })
      if (ticket.status !== TicketStatus[name]) throw new Error(`${ticket.status} instead of ${name}`)
      return ticket
    },
    setQueue: (changes, i = 0) => as(t.admin, t.tenant)('queues.update', { id: t.queues[i]!.id, ...changes }),
    row: async (id) =>
      (
        await owner<{ row: Record<string, unknown> }>('select to_jsonb(t) as row from tickets t where id = $1', [id])
      )[0]!.row,
    events: async (id) =>
      (
        await owner<{ type: string }>(
          'select type from events where ticket_id = $1 and tenant_id = $2 order by "offset"',
          [id, t.tenant.id],
        )
      ).map(({ type }) => type),
    line: async (i = 0) =>
      (
        await owner<{ id: number }>(
          `select id from tickets where queue_id = $1 and status = 'en_attente' order by rank, id`,
          [t.queues[i]!.id],
        )
      ).map(({ id }) => id),
  }
}

async function freeAgent(owner: Direct['query'], t: TenantFixture): Promise<number> {
  const [agent] = await owner<{ id: number }>(
    `select id from agents where tenant_id = $1 and status = 'available' order by id limit 1`,
    [t.tenant.id],
  )
  if (!agent) throw new Error('no agent is free')
  return agent.id
}

/** Code of the refusal, or `ok`. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )
