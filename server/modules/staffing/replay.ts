import { rankInTurn, remembers, type RankingConfig } from '../queues/index.ts'
import { entranceOf, type Door } from './entrance.ts'
import type { Caller, LoggedEvent, LoggedTicket } from './logged.ts'

/** Under what order a day is played. */
export interface ReplayConfig extends RankingConfig, Door {}

/** A call as it came out: in the order of calls. */
interface ReplayedCall {
  id: number
  at: number
  wait_seconds: number
}
export interface ReplayedDay {
  calls: ReplayedCall[]
  /** Turned away by the rules that are tried. */
  refused: number
  /** Sent to another queue by them. */
  elsewhere: number
  /** Kept here by them, who were sent away on the day. */
  joined: number
  /** Still there when the day ended, though they were called on the day, or had joined. */
  unserved: number
}

interface Waiting {
  id: number
  rank: number
  entered_at: number
  required_skill: string | null
  language: string | null
}
const inOrder = (a: Waiting, b: Waiting) => a.rank - b.rank || a.id - b.id
const mayCall = (caller: Caller, { required_skill, language }: Waiting): boolean =>
  caller === null ||
  ((required_skill === null || caller.skills.includes(required_skill)) &&
    (language === null || caller.languages === null || caller.languages.includes(language)))

/** People in the order of service. */
class Line {
  readonly people: Waiting[] = []
  indexOf(id: number): number {
    return this.people.findIndex((one) => one.id === id)
  }
  insert(one: Waiting): void {
    const at = this.people.findIndex((other) => inOrder(one, other) < 0)
    this.people.splice(at < 0 ? this.people.length : at, 0, one)
  }
  remove(id: number): Waiting | undefined {
    const at = this.indexOf(id)
    return at < 0 ? undefined : this.people.splice(at, 1)[0]
  }
  /** The first whom somebody may call. */
  headFor(caller: Caller): number | undefined {
    return this.people.find((one) => mayCall(caller, one))?.id
  }
}

/**
 * Plays the calls of a past day again: at each moment at which somebody was called, the first under `config` whom that
 * agent may serve is called. Who was called out of turn (by choice, kept for somebody) is called out of turn again; who was
 * put at a place by hand gets the same place, counted from the head. Rules decide at the door, by the line as it is played.
 * @param events of one queue, in the order of its stream
 */
export function replayDay(events: readonly LoggedEvent[], config: ReplayConfig): ReplayedDay {
  const recorded = new Line()
  const line = new Line()
  const called = new Set<number>()
  /** Refused or sent elsewhere by the rules that are tried. */
  const gone = new Set<number>()
  const day: ReplayedDay = { calls: [], refused: 0, elsewhere: 0, joined: 0, unserved: 0 }
  let finishes: Record<string, number> = {}
  const rank = (ticket: LoggedTicket, priority: number): number => {
    const turn = rankInTurn(config, [{ ...ticket, priority }], { head: line.people[0]?.rank ?? null, finishes })
    finishes = turn.finishes
    return turn.ranks[0]!
  }
  const enter = (ticket: LoggedTicket, at: number): boolean => {
    const entrance = entranceOf(config, ticket, line.people.length)
    if (entrance.kind !== 'in') {
      gone.add(ticket.id)
      day[entrance.kind]++
      return false
    }
    const { priority, required_skill } = entrance
    line.insert({ ...ticket, rank: rank(ticket, priority), entered_at: at, required_skill })
    return true
  }
  const follow = (ticket: LoggedTicket) => {
    const known = recorded.remove(ticket.id)
    if (known) recorded.insert({ ...ticket, entered_at: known.entered_at })
    const own = line.remove(ticket.id)
    if (!own) return
    const entrance = entranceOf(config, ticket, line.people.length)
    line.insert({ ...own, rank: rank(ticket, entrance.kind === 'in' ? entrance.priority : ticket.priority) })
  }
  for (const event of events) {
    switch (event.kind) {
      case 'enter':
        recorded.remove(event.ticket.id)
        recorded.insert({ ...event.ticket, entered_at: event.at })
        line.remove(event.ticket.id)
        called.delete(event.ticket.id)
        enter(event.ticket, event.at)
        break
      case 'away':
        if (config.rules === null) break
        if (enter(event.ticket, event.at)) day.joined++
        break
      case 'rerank':
        if (!remembers(config)) {
          follow(event.ticket)
          break
        }
      // Where ranks follow from those before, the place on the day is the nearest to it.
      // falls through
      case 'change': {
        const { id, rank: given } = event.ticket
        const known = recorded.remove(id)
        const entered_at = known?.entered_at ?? event.at
        recorded.insert({ ...event.ticket, entered_at })
        if (gone.has(id) || (called.has(id) && known)) break
        called.delete(id)
        const index = recorded.indexOf(id)
        line.remove(id)
        const place = between(line.people[index - 1], line.people[index], given)
        line.people.splice(index, 0, { ...event.ticket, rank: place, entered_at })
        break
      }
      case 'leave':
        recorded.remove(event.id)
        line.remove(event.id)
        break
      case 'call': {
        const isInTurn = recorded.headFor(event.caller) === event.id
        recorded.remove(event.id)
        const next = line.remove(isInTurn || line.indexOf(event.id) < 0 ? (line.headFor(event.caller) ?? 0) : event.id)
        if (!next) break
        called.add(next.id)
        day.calls.push({ id: next.id, at: event.at, wait_seconds: (event.at - next.entered_at) / 1e6 })
      }
    }
  }
  day.unserved = line.people.filter(({ id }) => recorded.indexOf(id) < 0).length
  return day
}

/** Somebody who enters, with the rank and the skill that the rules give. */
interface Entered {
  ticket: LoggedTicket
  at: number
  rank: number
}
/**
 * People who enter one after the other and are not called in between; the length of the line is taken as 0.
 * @returns those whom the rules let in, in order, and how many they turned away, sent elsewhere or kept here
 */
export function enterAll(events: readonly LoggedEvent[], config: ReplayConfig) {
  const counts = { refused: 0, elsewhere: 0, joined: 0 }
  const entered: { ticket: LoggedTicket; at: number; priority: number }[] = []
  for (const event of events) {
    const isAway = event.kind === 'away' && config.rules !== null
    if (event.kind !== 'enter' && !isAway) continue
    const entrance = entranceOf(config, event.ticket, 0)
    if (entrance.kind !== 'in') counts[entrance.kind]++
    else {
      if (isAway) counts.joined++
      entered.push({ ticket: event.ticket, at: event.at, priority: entrance.priority })
    }
  }
  const { ranks } = rankInTurn(
    config,
    entered.map(({ ticket, priority }) => ({ ...ticket, priority })),
    { head: null, finishes: {} },
  )
  return { ...counts, people: entered.map(({ ticket, at }, i): Entered => ({ ticket, at, rank: ranks[i]! })) }
}

/** The rank it was given where that is the place wanted, so that who enters later finds the same line as then. */
const between = (before: Waiting | undefined, after: Waiting | undefined, given: number): number => {
  if ((before?.rank ?? -Infinity) <= given && given <= (after?.rank ?? Infinity)) return given
  if (before && after) return (before.rank + after.rank) / 2
  return before ? before.rank + 1 : after ? after.rank - 1 : given
}
