import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { transitionOf, type Verb } from '../rules.ts'

const { waiting, called, serving } = TicketStatus

/** What the model knows of a ticket. */
export interface Stay {
  id: number
  queue: number
  status: TicketStatus
  agent: number | null
  /** As the database has it: only its order against others counts here. */
  rank: number
  arrived: number
  /** When it entered its queue, in commands. */
  entered: number
  recalls: number
  delays: number
  undo: Stay | null
}
type Position = 'first' | 'second' | 'last' | 'arrival'
export type Command =
  | { verb: 'take'; queue: number }
  | { verb: 'call_next'; agent: number }
  | { verb: 'undo'; ticket: number }
  | { verb: Exclude<Verb, 'expire'>; ticket: number; agent: number; other: number; places: number; position: Position }

export const MAX_RECALLS = 1
export const DELAY_BUDGET = 2

/**
 * What product.md says happens at a branch of two queues, written once more with lists instead of a database.
 * Answers `ok` or the code of the refusal.
 */
export class Model {
  readonly stays: Stay[] = []
  readonly lines: [Stay[], Stay[]] = [[], []]
  #clock = 0

  /** The ticket at an agent's counter. */
  at(agent: number): Stay | undefined {
    return this.stays.find((stay) => stay.agent === agent && (stay.status === called || stay.status === serving))
  }
  statusOf(agent: number): string {
    const stay = this.at(agent)
    return stay === undefined ? 'available' : stay.status === called ? 'calling' : 'serving'
  }

  take(queue: number, id: number, rank: number): void {
    const entered = ++this.#clock
    const stay = {
      id,
      queue,
      status: waiting,
      agent: null,
      rank,
      arrived: rank,
      entered,
      recalls: 0,
      delays: 0,
      undo: null,
    }
    this.stays.push(stay)
    this.lines[queue]!.push(stay)
  }

  /** Of the two heads the one that waits longer. */
  callNext(agent: number): Stay | 'agent_busy' | null {
    if (this.at(agent)) return 'agent_busy'
    const [next] = this.lines.flatMap((line) => line.slice(0, 1)).toSorted((a, b) => a.entered - b.entered)
    if (!next) return null
    this.#change(next, 'call', { agent })
    return next
  }

  undo(stay: Stay): string {
    const before = stay.undo
    if (!before) return 'nothing_to_undo'
    const rival = before.status === called || before.status === serving ? this.at(before.agent!) : undefined
    if (rival && rival !== stay) return 'undo_conflict'
    this.#leave(stay)
    Object.assign(stay, before)
    if (stay.status === waiting) this.#enterByRank(stay)
    return 'ok'
  }

  apply(verb: Verb, stay: Stay, { agent, other, places, position }: Extract<Command, { other: number }>): string {
    if (!transitionOf(verb).from.includes(stay.status)) return 'illegal_transition'
    const line = this.lines[stay.queue]!
    const index = line.indexOf(stay)
    switch (verb) {
      case 'call':
        return this.at(agent) ? 'agent_busy' : this.#change(stay, verb, { agent })
      case 'recall':
        return stay.recalls >= MAX_RECALLS ? 'recall_limit' : this.#change(stay, verb, { recalls: stay.recalls + 1 })
      case 'resume':
        if (this.at(agent)) return 'agent_busy'
        return stay.agent === agent ? this.#change(stay, verb, {}) : 'ticket_reserved'
      case 'return':
        return this.#enter(stay, verb, stay.queue, position)
      case 'transfer':
        return this.#enter(stay, verb, 1 - stay.queue, position === 'second' ? 'first' : position)
      case 'delay':
        if (stay.delays >= DELAY_BUDGET) return 'delay_budget'
        if (index === line.length - 1) return 'already_last'
        this.#change(stay, verb, { delays: stay.delays + 1 })
        line.splice(Math.min(index + places, line.length), 0, stay)
        return 'ok'
      case 'move': {
        const after = this.stays[other % this.stays.length]!
        if (after === stay || !line.includes(after)) return 'invalid_input'
        this.#change(stay, verb, {})
        line.splice(line.indexOf(after) + 1, 0, stay)
        return 'ok'
      }
      default:
        return this.#change(stay, verb, {})
    }
  }

  #enter(stay: Stay, verb: Verb, queue: number, position: Position): string {
    this.#change(stay, verb, { queue, agent: null, recalls: 0, entered: ++this.#clock })
    const line = this.lines[queue]!
    stay.rank = stay.arrived
    if (position === 'arrival') this.#enterByRank(stay)
    else line.splice(position === 'first' ? 0 : position === 'second' ? 1 : line.length, 0, stay)
    return 'ok'
  }

  #enterByRank(stay: Stay): void {
    const line = this.lines[stay.queue]!
    const at = line.findIndex((other) => other.rank > stay.rank || (other.rank === stay.rank && other.id > stay.id))
    line.splice(at < 0 ? line.length : at, 0, stay)
  }

  #leave(stay: Stay): void {
    const line = this.lines[stay.queue]!
    if (line.includes(stay)) line.splice(line.indexOf(stay), 1)
  }

  /** Changes the state; whoever waits afterwards is put in line by the caller. */
  #change(stay: Stay, verb: Verb, changes: Partial<Stay>): string {
    this.#leave(stay)
    const { to, undo_seconds } = transitionOf(verb)
    const undo = undo_seconds === undefined ? null : { ...stay, undo: null }
    Object.assign(stay, changes, { status: to[0], undo })
    return 'ok'
  }
}
