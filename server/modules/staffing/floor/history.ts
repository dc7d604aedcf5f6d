/** The last half hour, minute by minute, the present one last. */
export const MINUTES = 30

/** A wait in a line: from entering it until the call, the leaving, or not yet. Milliseconds since 1970. */
export interface Stay {
  entered: number
  ended: number | null
}
/** What somebody who came was told. */
export interface Told {
  at: number
  seconds: number
}
/** An agent's state from a moment on. */
export interface Turn {
  agent_id: number
  at: number
  status: string
  queue_ids: readonly number[]
}
export interface History {
  waiting: number[]
  longest_seconds: number[]
  /** As the last who came was told; null before anybody came. */
  eta_seconds: (number | null)[]
  /** Null where the log does not go back so far. */
  agents_open: (number | null)[]
  left: number[]
}

const OPEN = new Set(['available', 'calling', 'serving', 'wrap_up'])

/**
 * A line's last half hour from what is on record.
 * @param now milliseconds since 1970
 * @param told oldest first
 * @param left when people left without service today
 * @param agents present state of the agents of the site
 * @param turns of the site's agents, oldest first
 */
export function historyOf(
  queueId: number,
  now: number,
  stays: readonly Stay[],
  told: readonly Told[],
  left: readonly number[],
  agents: readonly Omit<Turn, 'at'>[],
  turns: readonly Turn[],
): History {
  const marks = Array.from({ length: MINUTES + 1 }, (_, i) => now - (MINUTES - i) * 60_000)
  const byEntry = stays.toSorted((a, b) => a.entered - b.entered)
  const turnsBy = Map.groupBy(turns, ({ agent_id }) => agent_id)
  const isOpen = ({ status, queue_ids }: Pick<Turn, 'status' | 'queue_ids'>) =>
    OPEN.has(status) && queue_ids.includes(queueId)
  function openAt(mark: number): number | null {
    let count = 0
    for (const agent of agents) {
      const own = turnsBy.get(agent.agent_id) ?? []
      const last = own.findLast(({ at }) => at <= mark)
      if (!last && own.length > 0) return null
      if (isOpen(last ?? agent)) count++
    }
    return count
  }
  const there = (mark: number) =>
    byEntry.filter(({ entered, ended }) => entered <= mark && (ended === null || ended > mark))
  return {
    waiting: marks.map((mark) => there(mark).length),
    longest_seconds: marks.map((mark) => {
      const first = there(mark)[0]
      return first ? Math.floor((mark - first.entered) / 1000) : 0
    }),
    eta_seconds: marks.map((mark) => told.findLast(({ at }) => at <= mark)?.seconds ?? null),
    agents_open: marks.map(openAt),
    left: marks.map((mark) => left.filter((at) => at <= mark).length),
  }
}
