/** What an algorithm may look at when a ticket enters, or enters again. Instants are whole microseconds since 1970. */
export interface RankedTicket {
  /** Class 0 … 9, higher is more urgent. */
  priority: number
  channel: string
  /** The booked time; null for a walk-in. */
  appointment_at: number | null
  /**
   * When it came. Exact when a rank is made anew; for a newcomer the last reading of the clock before the ticket was
   * written, so compare with it but answer `{ offset }` to stand by arrival.
   */
  arrived_at: number
}

/** How a queue tunes its algorithm; each reads what it knows and has a default for what is absent. */
export interface AlgorithmSettings {
  /** aging, appointment: seconds that one class is worth. */
  boost_seconds?: number
  /** sla: seconds within which each class is to be called, class 0 first; the last holds for higher classes. */
  targets_seconds?: number[]
  /** fair_share: what makes a share. */
  share_by?: 'priority' | 'channel'
  /** fair_share: how much each share gets, by class or channel; 1 when not named. */
  shares?: Record<string, number>
  /** appointment: a booked person stands where somebody would who came so long before the booked time. */
  lead_seconds?: number
  /** appointment: later than this after the booked time is late. */
  late_after_seconds?: number
  /** appointment: the late keep their place, stand by arrival, or stand `penalty_seconds` behind it. */
  late?: 'keep' | 'arrival' | 'penalty'
  penalty_seconds?: number
}

/** The line a ticket enters, for algorithms with a memory. Ranks in microseconds. */
export interface Line {
  /** Rank of the first who waits; null when nobody does. */
  head: number | null
  /** Last rank given to each share. */
  finishes: Readonly<Record<string, number>>
}

/** Where a ticket stands: so many microseconds after its arrival (negative: before), or at a rank of its own. */
export type Rank = { offset: number } | { at: number }

/**
 * Gives a ticket its place when it enters, or enters again, a queue that is served by `(rank, id)`: a pure function, so
 * that one column, one index and one claim statement serve every algorithm, and a past day can be played again.
 */
export interface Algorithm {
  (ticket: RankedTicket, settings: AlgorithmSettings, line: Line): Rank
  /** The share a ticket counts against. Only algorithms that have it are given `line`, and each rank is remembered. */
  shareOf?(ticket: RankedTicket, settings: AlgorithmSettings): string
}
