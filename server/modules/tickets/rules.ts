import { TicketStatus } from '../../../shared/ticket-status.ts'

const { waiting, called, serving, held, completed, no_show, cancelled, expired } = TicketStatus

/** One line of the state machine. */
export interface Transition {
  from: readonly TicketStatus[]
  /** Where it leads; the first is usual. */
  to: readonly [TicketStatus, ...TicketStatus[]]
  event: `ticket.${string}`
  /** Codes of the refusals that its guards can answer with, beside `illegal_transition`. */
  guards: readonly string[]
  /** How long it can be undone; absent when it cannot. */
  undo_seconds?: number
  /** The ticket leaves its queue or ends: the leg is closed. */
  ends_leg?: true
}

/** Every way from one state to another. What is not here is a 409 and changes nothing. */
export const TRANSITIONS = {
  call: {
    from: [waiting],
    to: [called],
    event: 'ticket.called',
    guards: [
      'agent_busy',
      'agent_not_available',
      'agent_without_counter',
      'agent_inactive',
      'agent_does_not_serve_queue',
      'agent_lacks_skill',
      'ticket_reserved',
    ],
  },
  recall: { from: [called], to: [called], event: 'ticket.recalled', guards: ['recall_limit', 'recall_too_soon'] },
  start: { from: [called], to: [serving], event: 'ticket.started', guards: [], undo_seconds: 60 },
  hold: { from: [serving], to: [held], event: 'ticket.held', guards: [], undo_seconds: 60 },
  resume: {
    from: [held],
    to: [serving, called],
    event: 'ticket.resumed',
    guards: [
      'agent_busy',
      'agent_not_available',
      'agent_without_counter',
      'agent_does_not_serve_queue',
      'ticket_reserved',
    ],
  },
  complete: {
    from: [serving],
    to: [completed],
    event: 'ticket.completed',
    guards: ['required_fields_missing'],
    undo_seconds: 120,
    ends_leg: true,
  },
  no_show: { from: [called], to: [no_show], event: 'ticket.no_show', guards: [], undo_seconds: 60, ends_leg: true },
  return: {
    from: [called, serving, no_show],
    to: [waiting],
    event: 'ticket.returned',
    guards: ['grace_over', 'reason_required', 'duplicate_ticket'],
    undo_seconds: 60,
    ends_leg: true,
  },
  transfer: {
    from: [waiting, called, serving],
    to: [waiting],
    event: 'ticket.transferred',
    guards: ['queue_inactive', 'other_site', 'same_queue', 'agent_inactive', 'counter_inactive', 'duplicate_ticket'],
    undo_seconds: 60,
    ends_leg: true,
  },
  cancel: { from: [waiting], to: [cancelled], event: 'ticket.cancelled', guards: [], undo_seconds: 60, ends_leg: true },
  delay: { from: [waiting], to: [waiting], event: 'ticket.delayed', guards: ['delay_budget', 'already_last'] },
  move: { from: [waiting], to: [waiting], event: 'ticket.moved', guards: [] },
  expire: {
    from: [waiting, called, serving, held],
    to: [expired],
    event: 'ticket.expired',
    guards: [],
    ends_leg: true,
  },
} as const satisfies Record<string, Transition>
export type Verb = keyof typeof TRANSITIONS
export const VERBS = Object.keys(TRANSITIONS) as Verb[]
export const transitionOf = (verb: Verb): Transition => TRANSITIONS[verb]

/** A ticket's place in the order of service. */
export interface Place {
  rank: number
  id: number
}
/** Microseconds left between two neighbours, so that a third can be put between them later. */
export const RANK_GAP = 16
/** Most that a ticket is put behind the one it follows: it stays its neighbour when somebody arrives later. */
const NEAR = 1_000_000

/**
 * The rank that puts ticket `id` directly after `before` (null: first of all) and ahead of `followers`, which are in
 * order and do not contain it. Where two ranks leave no room, the least number of followers moves back: `shifted`.
 * Null when the queue is empty: any rank will do.
 */
export function placeAfter(
  before: Place | null,
  followers: readonly Place[],
  id: number,
): { rank: number; shifted: Place[] } | null {
  const next = followers[0]
  if (!before) return next ? { rank: next.rank - RANK_GAP, shifted: [] } : null
  if (!next) return { rank: before.rank + RANK_GAP, shifted: [] }
  const room = next.rank - before.rank
  if (room >= 2) return { rank: before.rank + Math.min(Math.floor(room / 2), NEAR), shifted: [] }
  if (id > before.id && (room > 0 || id < next.id)) return { rank: before.rank, shifted: [] }
  if (id < next.id && (room > 0 || id > before.id)) return { rank: next.rank, shifted: [] }
  const rank = before.rank + RANK_GAP
  const shifted: Place[] = []
  let last = rank
  for (const follower of followers) {
    if (follower.rank > last) break
    last += RANK_GAP
    shifted.push({ id: follower.id, rank: last })
  }
  return { rank, shifted }
}

export const precedes = (a: Place, b: Place): boolean => a.rank < b.rank || (a.rank === b.rank && a.id < b.id)

/** Answers after a change: null takes one away, what is not named stays. */
export function mergeFields(
  fields: Record<string, unknown>,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...fields, ...changes }).filter(([, value]) => value !== null))
}
