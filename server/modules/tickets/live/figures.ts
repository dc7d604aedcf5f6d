import { estimateWait, type Estimate, type WaitFactors } from '../../../../shared/eta.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import type { Context } from '../../../kernel/operation.ts'
import { queueConfig } from '../../queues/index.ts'
import { loadSite, siteIfLoaded } from './sites.ts'
import type { SiteLive, Waiting } from './site-live.ts'

/** `position` 1 is next. All null unless the ticket waits; the estimates also when nothing honest can be said. */
export type Figures = Estimate & { position: number | null; ahead: number | null }
/** What figures are computed from. */
export interface Placed {
  id: number
  site_id: number
  queue_id: number
  rank: number
  status: TicketStatus
}
type Caller = Pick<Context, 'tx' | 'tenant' | 'hub'>

export const NO_FIGURES: Figures = {
  position: null,
  ahead: null,
  eta_seconds: null,
  eta_low_seconds: null,
  eta_high_seconds: null,
}

/** Place and estimate of a ticket that this projection may or may not know yet. */
export function figuresIn(live: SiteLive, { queue_id, rank, id, status }: Placed, mates = 0): Figures {
  if (status !== TicketStatus.waiting) return NO_FIGURES
  const ahead = live.ahead(queue_id, rank, id) + mates
  return { position: ahead + 1, ahead, ...live.estimate(queue_id, ahead) }
}

/**
 * Figures of tickets, in order, from memory in O(log n) each. Tickets of this call that are newer than the projection
 * (just taken, in this transaction or in one on its way) count as standing where they will. Inside a transaction of a
 * site this process has not read yet, the database counts instead: whoever holds a connection must not wait for a whole
 * site to be read.
 */
export async function figuresOf(ctx: Caller, tickets: readonly Placed[]): Promise<Figures[]> {
  const waiting = tickets.filter(({ status }) => status === TicketStatus.waiting)
  const sites = new Map<number, SiteLive>()
  for (const siteId of new Set(waiting.map(({ site_id }) => site_id))) {
    const live = isTransaction(ctx)
      ? siteIfLoaded(ctx.hub, ctx.tenant.id, siteId)
      : await loadSite(ctx.hub, ctx.tenant.id, siteId)
    if (live) sites.set(siteId, live)
  }
  const cold = waiting.filter(({ site_id }) => !sites.has(site_id))
  const counted = cold.length ? await countFigures(ctx, cold) : new Map<number, Figures>()
  const newcomers = new Map<SiteLive, Waiting[]>()
  for (const [siteId, live] of sites) {
    const own = waiting.filter(({ id, site_id }) => site_id === siteId && !live.knows(id))
    if (isTransaction(ctx)) live.grant(own)
    newcomers.set(live, isTransaction(ctx) ? live.granted() : own)
  }
  return tickets.map((ticket) => {
    const live = sites.get(ticket.site_id)
    if (!live) return counted.get(ticket.id) ?? NO_FIGURES
    return figuresIn(live, ticket, matesBefore(ticket, newcomers.get(live)!))
  })
}

/** The tickets with their figures in place of the nulls they carry. */
export async function withFigures<T extends Placed>(ctx: Caller, tickets: readonly T[]): Promise<(T & Figures)[]> {
  const figures = await figuresOf(ctx, tickets)
  return tickets.map((ticket, i) => ({ ...ticket, ...figures[i]! }))
}

/** Figures of one ticket; see `figuresOf`. */
export async function ticketFigures(ctx: Caller, ticket: Placed): Promise<Figures> {
  return (await figuresOf(ctx, [ticket]))[0]!
}

/** What somebody who took a ticket of the lowest class now would be told. Throws the one not-found error. */
export async function newcomerFigures(ctx: Caller, queueId: number): Promise<Figures> {
  const { site_id } = await queueConfig(ctx, queueId)
  const newcomer = {
    id: Number.MAX_SAFE_INTEGER,
    site_id,
    queue_id: queueId,
    rank: Number.MAX_SAFE_INTEGER,
    status: TicketStatus.waiting,
  }
  return ticketFigures(ctx, newcomer)
}

/** Only a transaction can be finished; reads hold no connection between two statements. */
const isTransaction = ({ tx }: Caller): boolean => 'finish' in tx

function matesBefore(ticket: Placed, newcomers: readonly Waiting[]): number {
  let before = 0
  for (const { queue_id, rank, id } of newcomers) {
    if (queue_id === ticket.queue_id && (rank < ticket.rank || (rank === ticket.rank && id < ticket.id))) before++
  }
  return before
}

/** One range of the index of the order of service per ticket: milliseconds at 100 000, and only until the site is read. */
const COUNTS = `
  select w.id, (
      select count(*) from tickets t
      where t.queue_id = w.queue_id and t.status = 'en_attente' and (t.rank, t.id) < (w.rank, w.id))::int as ahead,
    st.service_seconds, st.forecast,
    (select count(*) from agents a join agent_queues s on s.tenant_id = a.tenant_id and s.agent_id = a.id
     where s.queue_id = w.queue_id and a.status in ('available', 'calling', 'serving', 'wrap_up'))::int as agents_open,
    (select count(*) from agents a join agent_queues s on s.tenant_id = a.tenant_id and s.agent_id = a.id
     where s.queue_id = w.queue_id and a.status = 'available')::int as agents_free
  from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as w(id, queue_id, rank)
  join queue_states st on st.queue_id = w.queue_id`

async function countFigures(ctx: Caller, tickets: readonly Placed[]): Promise<Map<number, Figures>> {
  const rows = await ctx.tx.query<WaitFactors & { id: number }>(COUNTS, [
    tickets.map(({ id }) => id),
    tickets.map(({ queue_id }) => queue_id),
    tickets.map(({ rank }) => rank),
  ])
  return new Map(
    rows.map(({ id, ...factors }) => [
      id,
      { position: factors.ahead + 1, ahead: factors.ahead, ...estimateWait(factors) },
    ]),
  )
}
