import {
  decide,
  isLater,
  localTime,
  punctuality,
  rankInTurn,
  type PublishedRule,
  type RankingConfig,
} from '../queues/index.ts'

/** What the log says of a ticket at one event. Instants are microseconds. */
export interface LoggedTicket {
  id: number
  priority: number
  channel: string
  language: string | null
  labels: readonly string[]
  service_id: number
  rank: number
  arrived_at: number
  appointment_at: number | null
  /** Before the rules; the class as taken where nobody remembers. */
  asked_priority: number
}
export type LoggedEvent =
  | { kind: 'enter'; at: number; ticket: LoggedTicket }
  | { kind: 'change'; at: number; ticket: LoggedTicket }
  | { kind: 'call' | 'leave' | 'end'; at: number; id: number }

/** Under what order a day is played. */
export interface ReplayConfig extends RankingConfig {
  timezone: string
  /** Null: classes stay as the log has them. */
  rules: readonly PublishedRule[] | null
}
/** A call as it came out: in the order of calls. */
export interface ReplayedCall {
  id: number
  at: number
  wait_seconds: number
}

interface Waiting {
  id: number
  rank: number
  entered_at: number
}
const inOrder = (a: Waiting, b: Waiting) => a.rank - b.rank || a.id - b.id
const insert = (line: Waiting[], one: Waiting) => {
  const at = line.findIndex((other) => inOrder(one, other) < 0)
  line.splice(at < 0 ? line.length : at, 0, one)
}

/**
 * Plays the calls of a past day again: at each moment at which somebody was called, whoever is first under `config` is
 * called. Who was called out of turn (by choice, by skill, kept for somebody) is called out of turn again; who was put at
 * a place by hand gets the same place, counted from the head.
 * @param events of one queue, in the order of its stream
 */
export function replayCalls(events: readonly LoggedEvent[], config: ReplayConfig): ReplayedCall[] {
  const recorded: Waiting[] = []
  const line: Waiting[] = []
  const called = new Set<number>()
  const calls: ReplayedCall[] = []
  let finishes: Record<string, number> = {}
  const remove = (from: Waiting[], id: number): number => {
    const at = from.findIndex((one) => one.id === id)
    if (at >= 0) from.splice(at, 1)
    return at
  }
  const rank = (ticket: LoggedTicket): number => {
    const turn = rankInTurn(config, [{ ...ticket, priority: classOf(config, ticket) }], {
      head: line[0]?.rank ?? null,
      finishes,
    })
    finishes = turn.finishes
    return turn.ranks[0]!
  }
  for (const event of events) {
    if (event.kind === 'enter') {
      const { id, rank: given } = event.ticket
      remove(recorded, id)
      insert(recorded, { id, rank: given, entered_at: event.at })
      remove(line, id)
      called.delete(id)
      insert(line, { id, rank: rank(event.ticket), entered_at: event.at })
    } else if (event.kind === 'change') {
      const { id, rank: given } = event.ticket
      const known = recorded.find((one) => one.id === id)
      const entered_at = known?.entered_at ?? event.at
      remove(recorded, id)
      insert(recorded, { id, rank: given, entered_at })
      if (called.has(id) && known) continue
      called.delete(id)
      const index = recorded.findIndex((one) => one.id === id)
      remove(line, id)
      const before = line[index - 1]
      const after = line[index]
      line.splice(index, 0, { id, rank: between(before, after, given), entered_at })
    } else if (event.kind === 'leave') {
      remove(recorded, event.id)
      remove(line, event.id)
    } else if (event.kind === 'call') {
      const index = remove(recorded, event.id)
      const isOutOfTurn = index > 0 && line.some(({ id }) => id === event.id)
      const next = isOutOfTurn
        ? line.splice(
            line.findIndex(({ id }) => id === event.id),
            1,
          )[0]
        : line.shift()
      if (!next) continue
      called.add(next.id)
      calls.push({ id: next.id, at: event.at, wait_seconds: (event.at - next.entered_at) / 1e6 })
    }
  }
  return calls
}

/** Ranks of people who enter one after the other and are not called in between. */
export const enterRanks = (tickets: readonly LoggedTicket[], config: ReplayConfig): number[] =>
  rankInTurn(
    config,
    tickets.map((ticket) => ({ ...ticket, priority: classOf(config, ticket) })),
    { head: null, finishes: {} },
  ).ranks

/** The rank it was given where that is the place wanted, so that who enters later finds the same line as then. */
const between = (before: Waiting | undefined, after: Waiting | undefined, given: number): number => {
  if ((before?.rank ?? -Infinity) <= given && given <= (after?.rank ?? Infinity)) return given
  if (before && after) return (before.rank + after.rank) / 2
  return before ? before.rank + 1 : after ? after.rank - 1 : given
}

/** The class that rules at the door give. The length of the line is not known again; such rules do not match. */
function classOf({ timezone, rules }: ReplayConfig, ticket: LoggedTicket): number {
  if (rules === null) return ticket.priority
  const decision = decide(
    rules.filter((rule) => !isLater(rule)),
    {
      ...ticket,
      ...localTime(ticket.arrived_at, timezone),
      appointment: punctuality(ticket.appointment_at, ticket.arrived_at),
      wait_seconds: 0,
      queue_length: 0,
    },
  )
  return decision.priority ?? ticket.asked_priority
}
