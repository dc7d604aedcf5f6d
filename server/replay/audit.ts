import { isFinal } from '../../shared/ticket-status.ts'
import type { Ticket } from './actors.ts'
import type { ApiClient } from './client.ts'
import type { Log, Stage, Stay } from './log.ts'
import type { QueueFeed, SeenEvent } from './feed.ts'

export interface Audit {
  /** Events the log holds for the tickets of the replay. */
  events: number
  /** In the log and never on the feed, plus holes in the feeds' chains. */
  lost: number
  /** On the feed twice. */
  duplicated: number
  /** On the feed and not in the log. */
  invented: number
  /** Tickets with more than one `ticket.called` in the log, or handed out twice. */
  doubleCalls: number
  /** Tickets not in a final state, or in another one than the replay saw. */
  notFinal: number
  /** Tickets of the replay that the list does not show. */
  missing: number
}

const AT_ONCE = 8

/**
 * Compares what observers saw with what the server holds: the events of every ticket, one by one, and every ticket's
 * final state. Feeds get `patienceMs` in all to show what they still owe. `onProgress` is told the share done, from 0 to 1.
 */
export async function audit(
  client: ApiClient,
  stages: readonly Stage[],
  log: Log,
  patienceMs: number,
  onProgress: (done: number) => void,
): Promise<Audit> {
  const deadline = performance.now() + patienceMs
  const result: Audit = {
    events: 0,
    lost: 0,
    duplicated: 0,
    invented: 0,
    doubleCalls: log.doubleCalls,
    notFinal: 0,
    missing: 0,
  }
  const feeds = new Map(stages.map((stage) => [stage.queueId, stage.feed]))
  let next = 0
  async function worker() {
    for (let stay = log.stays[next++]; stay; stay = log.stays[next++]) {
      onProgress(next / log.stays.length)
      const feed = feeds.get(stay.queueId) as QueueFeed
      const held = await heldEvents(client, stay.ticket.id)
      const last = held.at(-1)
      if (last) await feed.until(stay.ticket.id, last.type, Math.max(0, deadline - performance.now()))
      const difference = compareEvents(held, feed.seen.get(stay.ticket.id) ?? [])
      result.events += held.length
      result.lost += difference.lost
      result.invented += difference.invented
      if (held.filter((event) => event.type === 'ticket.called').length > 1) result.doubleCalls++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  for (const { feed } of stages) {
    result.lost += feed.chain.gaps
    result.duplicated += feed.chain.repeats
  }
  const states = await finalStates(client, stages)
  for (const stay of log.stays) {
    const status = states.get(stay.ticket.id)
    if (status === undefined) result.missing++
    else if (!isExpected(stay, status)) result.notFinal++
  }
  return result
}

function isExpected(stay: Stay, status: string): boolean {
  if (!stay.outcome) return false
  return isFinal(status) && (status === 'terminé') === (stay.outcome.start_s !== null)
}

async function heldEvents(client: ApiClient, ticketId: number): Promise<SeenEvent[]> {
  return (await client.get<{ results: SeenEvent[] }>('ticket events', `/tickets/${ticketId}/events/`)).results
}

async function finalStates(client: ApiClient, stages: readonly Stage[]): Promise<Map<number, string>> {
  const states = new Map<number, string>()
  for (const { queueId } of stages) {
    for await (const ticket of client.list<Ticket>('ticket list', `/tickets/?queue=${queueId}`))
      states.set(ticket.id, ticket.status.normalize('NFC'))
  }
  return states
}

/** Events held and not seen (lost), seen and not held (invented); each is one offset of the site's stream. */
export function compareEvents(
  held: readonly SeenEvent[],
  seen: readonly SeenEvent[],
): { lost: number; invented: number } {
  const key = (event: SeenEvent) => `${event.offset} ${event.type}`
  const seenKeys = new Set(seen.map(key))
  const heldKeys = new Set(held.map(key))
  return { lost: heldKeys.difference(seenKeys).size, invented: seenKeys.difference(heldKeys).size }
}
