import { TicketStatus } from './ticket-status.ts'
import type { Ticket } from './board.ts'
import { applySite, type SiteEvent, type SiteView } from './views.ts'

/** A replay keeps whole lines: what stood behind the first hundred may come to the front. */
const WHOLE = { most: 1e6, least: 0 }
/** A state is kept every so many events, so that any other is few events away. */
const STEP = 100

/**
 * A day that can be looked at at any of its events, by the reducer of the live views. It begins with what its own events
 * tell of the time before them: tickets and agents that were there already, and, from the present view, those no event
 * of the day is about.
 */
export class DayReplay {
  readonly events: readonly SiteEvent[]
  readonly #states: SiteView[]

  /** @param end the site as its live feed shows it after the last event, or at any later time */
  constructor(end: SiteView, events: readonly SiteEvent[]) {
    this.events = events
    this.#states = [beginning(end, events)]
    let state = this.#states[0]!
    for (const [index, event] of events.entries()) {
      state = after(state, event)
      if ((index + 1) % STEP === 0) this.#states.push(state)
    }
  }

  /** The site after so many of the day's events. */
  at(count: number): SiteView {
    const kept = Math.floor(count / STEP)
    let state = this.#states[kept]!
    for (const event of this.events.slice(kept * STEP, count)) state = after(state, event)
    return state
  }

  /** How many events had happened by then. */
  countAt(instant: string): number {
    const time = Date.parse(instant)
    const index = this.events.findIndex(({ at }) => Date.parse(at) > time)
    return index < 0 ? this.events.length : index
  }
}

/** What reshapes a site (its name, its queues) is shown as it is now. */
function after(state: SiteView, event: SiteEvent): SiteView {
  if (/^(site\.|queue\.(created|deleted))/.test(event.type)) return { ...state, offset: event.offset }
  return applySite(state, { ...event, after: state.offset }, WHOLE)
}

function beginning(end: SiteView, events: readonly SiteEvent[]): SiteView {
  const first = events[0]
  const told = new Set(events.flatMap(({ ticket }) => ticket?.id ?? []))
  const agentsTold = new Set(events.flatMap(({ agent }) => agent?.id ?? []))
  const rest = end.lines.map((line) => {
    const others = <T extends Ticket>(tickets: readonly T[]) => tickets.filter(({ id }) => !told.has(id))
    const waiting = others(line.waiting)
    return { ...line, waiting, called: others(line.called), held: others(line.held), waiting_count: waiting.length }
  })
  let state: SiteView = {
    ...end,
    offset: (first?.offset ?? end.offset + 1) - 1,
    lines: rest,
    agents: end.agents.map((agent) => (agentsTold.has(agent.id) ? { ...agent, status: 'offline' } : agent)),
  }
  if (!first) return end
  // Who was there before: as the first event about them found them.
  const seen = new Set<number>()
  const offset = state.offset
  for (const { ticket, from, queue_id, from_queue_id } of events) {
    if (!ticket || seen.has(ticket.id)) continue
    seen.add(ticket.id)
    const before = from === undefined ? ticket.status : from
    if (before === null || !LIVE.has(before)) continue
    const entering: SiteEvent = {
      type: 'ticket.created',
      offset: state.offset + 1,
      after: state.offset,
      at: ticket.created_at,
      queue_id: from_queue_id ?? queue_id,
      from: null,
      ticket: { ...ticket, status: before, queue_id: from_queue_id ?? ticket.queue_id },
    }
    state = after(state, entering)
  }
  return { ...state, offset }
}
const LIVE = new Set<string>([TicketStatus.waiting, TicketStatus.called, TicketStatus.serving, TicketStatus.held])
