import { MANAGERS, STAFF, type Actor } from '../../../kernel/access.ts'
import { AppError, notFound } from '../../../kernel/errors.ts'
import type { StreamEvent } from '../../../kernel/events/index.ts'
import type { Feed, FeedContext, FeedSnapshot, OpenFeed } from '../../../kernel/feed.ts'
import { mayWatch } from '../../agents/index.ts'
import { figuresIn, NO_FIGURES } from './figures.ts'
import { concerns, dataOf, liveEvent, siteEvent } from './select.ts'
import { siteView } from './site-view.ts'
import { siteIfLoaded } from './sites.ts'
import { agentBoard, anonymousAgent, anonymousTicket, displayBoard, DISPLAY_QUEUES, queueBoard } from './views.ts'
import { Stays, visitorRow, visitorTicket, visitorView } from './visitor.ts'

const idIn = (params: Readonly<Record<string, string>>, name: string): number => {
  const text = params[name] ?? ''
  if (!/^[1-9]\d{0,15}$/.test(text)) throw notFound()
  return Number(text)
}
const snapshotOf = async (view: Promise<{ epoch: string; offset: number }>): Promise<FeedSnapshot> => ({
  ...(await view),
})
const reader = ({ db, tenant }: FeedContext) => db.reader(tenant.id)

/** One queue for staff: its tickets, its agents, its state and pace. */
const queueFeed: Feed = {
  name: 'queue',
  path: '/ws/tenants/{tenant}/queues/{queue_id}/',
  summary: 'Follow a queue: its board, then every change',
  scope: 'read:queue',
  roles: STAFF,
  async open(ctx, params) {
    const queueId = idIn(params, 'queue_id')
    const tx = reader(ctx)
    const { site_id } = await tx.one<{ site_id: number }>('select site_id from queues where id = $1', [queueId])
    const queueIds = [queueId]
    return {
      site_id,
      key: `queue:${queueId}:staff`,
      snapshot: () => snapshotOf(queueBoard(tx, queueId)),
      select: (event) => concerns(event, queueIds),
      project: (event) => ({ ...liveEvent(event, queueIds) }),
    }
  },
}

/** A screen of a waiting room: numbers, counters and queues; nothing says who the people are. */
const displayFeed: Feed = {
  name: 'display',
  path: '/ws/tenants/{tenant}/displays/{display_id}/',
  summary: 'Follow a display: calls and lengths of its queues, without personal data',
  scope: 'read:display',
  roles: [...STAFF, 'display'],
  async open(ctx, params) {
    const displayId = idIn(params, 'display_id')
    const tx = reader(ctx)
    const display = await tx.one<{ site_id: number; name: string; ids: number[]; shows_all: boolean }>(
      `select d.site_id, d.name, ${DISPLAY_QUEUES} as ids, cardinality(d.queue_ids) = 0 as shows_all from displays d where d.id = $1`,
      [displayId],
    )
    const { ids } = display
    /** None when they cannot be known from the event: other than before, so that the view is read anew. */
    const queuesOf = ({ queue_ids }: DisplayData) =>
      queue_ids.length ? queue_ids.toSorted((a, b) => a - b) : display.shows_all ? ids : []
    const isOwn = (event: StreamEvent) => event.type.startsWith('display.') && displayIn(event)?.id === displayId
    /** A queue more or less on a screen that shows all: whoever follows starts anew with other queues. */
    const changesQueues = ({ type }: StreamEvent) =>
      display.shows_all && (type === 'queue.created' || type === 'queue.deleted')
    return {
      site_id: display.site_id,
      // Other queues, another channel.
      key: `display:${displayId}:${ids.join(',')}`,
      presence: deviceOf(ctx.actor),
      snapshot: () => snapshotOf(displayBoard(tx, displayId)),
      select: (event) => isOwn(event) || changesQueues(event) || concerns(event, ids),
      project(event) {
        const { ticket, agent, ...rest } = liveEvent(event, ids)
        const shown = displayIn(event)
        return {
          ...rest,
          ...(ticket && { ticket: anonymousTicket(ticket) }),
          ...(agent && { agent: anonymousAgent(agent) }),
          ...(isOwn(event) && shown && { display: { id: displayId, name: shown.name, queue_ids: queuesOf(shown) } }),
          ...(changesQueues(event) && { display: { id: displayId, name: display.name, queue_ids: [] } }),
        }
      },
    }
  },
}
/** A paired machine that follows; a screen that was opened by a link is none. */
function deviceOf({ principal }: Actor): OpenFeed['presence'] {
  const id = /^device:(\d+)$/.exec(principal)?.[1]
  return id === undefined ? undefined : { kind: 'device', id: Number(id) }
}
interface DisplayData {
  id: number
  name: string
  queue_ids: number[]
}
const displayIn = (event: StreamEvent) => (event.data as { display?: DisplayData }).display

/** An agent's own desk. */
const agentFeed: Feed = {
  name: 'agent',
  path: '/ws/tenants/{tenant}/agents/{agent_id}/',
  summary: 'Follow an agent’s desk: the own tickets and the lengths of the queues served',
  scope: 'read:agent',
  roles: STAFF,
  async open(ctx, params) {
    const agentId = idIn(params, 'agent_id')
    const tx = reader(ctx)
    const agent = await tx.one<{ site_id: number; user_id: number | null; ids: number[] }>(
      `select a.site_id, a.user_id,
              array(select s.queue_id from agent_queues s where s.tenant_id = a.tenant_id and s.agent_id = a.id order by 1) as ids
       from agents a where a.id = $1`,
      [agentId],
    )
    await mayWatch(tx, ctx.actor, agentId)
    return {
      site_id: agent.site_id,
      key: `agent:${agentId}:${agent.ids.join(',')}`,
      // Who looks over an agent's shoulder is not the agent.
      presence:
        agent.user_id !== null && agent.user_id === ctx.actor.userId ? { kind: 'agent', id: agentId } : undefined,
      snapshot: () => snapshotOf(agentBoard(tx, agentId)),
      select: (event) => event.agent_id === agentId || concerns(event, agent.ids),
      // A ticket kept for this agent may come from a queue the agent does not serve.
      project(event) {
        const { desk } = event.data as { desk?: string }
        return {
          ...liveEvent(event, agent.ids, agentId),
          ...(event.agent_id === agentId && desk !== undefined && { desk }),
        }
      },
    }
  },
}

/** A whole site for those who run it: every line, every agent, every machine, and who is there. */
const siteFeed: Feed = {
  name: 'site',
  path: '/ws/tenants/{tenant}/sites/{site_id}/',
  summary: 'Follow a site: all its lines, agents and devices',
  scope: 'read:queue',
  roles: MANAGERS,
  async open(ctx, params) {
    const siteId = idIn(params, 'site_id')
    // A limit to queues is not kept by what shows them all.
    if (ctx.actor.queueIds) throw new AppError('forbidden', 'forbidden')
    const tx = reader(ctx)
    await tx.one('select from sites where id = $1', [siteId])
    return {
      site_id: siteId,
      key: `site:${siteId}`,
      snapshot: () => snapshotOf(siteView(tx, siteId)),
      select: () => true,
      project: (event) => ({ ...siteEvent(event) }),
    }
  },
}

/** A visitor's own ticket. Frames carry the whole ticket with its figures; nothing of anybody else. */
const ticketFeed: Feed = {
  name: 'ticket',
  path: '/ws/tickets/{token}/',
  summary: 'Follow one’s own ticket by its token',
  scope: null,
  roles: ['visitor'],
  async open(ctx) {
    const { ticketId } = ctx.actor
    if (ticketId === null) throw notFound()
    const tx = reader(ctx)
    const caller = { tx, hub: ctx.hub, tenant: ctx.tenant }
    /** As of the last event shown; frames of others' events repeat it with new figures. */
    let own = await visitorRow(tx, ticketId)
    const stays = new Stays(own)
    return {
      site_id: own.site_id,
      key: `ticket:${ticketId}`,
      async snapshot() {
        own = await visitorRow(tx, ticketId)
        return { ...(await visitorView(caller, own)) }
      },
      select(event) {
        if (event.ticket_id === ticketId) stays.note(event)
        return event.ticket_id === ticketId || concerns(event, [stays.queueAt(event.offset)])
      },
      project(event) {
        const { ticket } = dataOf(event)
        if (ticket?.id === ticketId) own = { ...own, ...ticket }
        const live = siteIfLoaded(ctx.hub, ctx.tenant.id, own.site_id)
        return { epoch: event.epoch, ticket: visitorTicket(own, live ? figuresIn(live, own) : NO_FIGURES) }
      },
    }
  },
}

export const feeds: readonly Feed[] = [queueFeed, displayFeed, agentFeed, siteFeed, ticketFeed]
