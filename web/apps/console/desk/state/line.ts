import type { Board } from '../../../../../shared/board.ts'
import { compareScores, scoreOf, type CallingWay } from '../../../../../shared/call-order.ts'

export type WaitingTicket = Board['waiting'][number]

/**
 * Everybody who waits in the agent's lines, in the order in which this agent would call them now: the first is whom the
 * next key brings, unless somebody else is quicker. Who may not be called yet stands last.
 */
export function callOrder(boards: readonly Board[], way: CallingWay, now: number): WaitingTicket[] {
  const isLater = ({ not_before }: WaitingTicket) => not_before !== null && Date.parse(not_before) > now
  const lines = boards.map(({ waiting }) => ({ waiting: waiting.filter((ticket) => !isLater(ticket)), at: 0 }))
  const order: WaitingTicket[] = []
  for (;;) {
    let best: (typeof lines)[number] | undefined
    let bestScore
    for (const line of lines) {
      const ticket = line.waiting[line.at]
      if (!ticket) continue
      const wait_seconds = (now - Date.parse(ticket.created_at)) / 1000
      const score = scoreOf(way, { queue_id: ticket.queue_id, wait_seconds })
      if (bestScore && compareScores(score, bestScore) <= 0) continue
      best = line
      bestScore = score
    }
    if (!best) break
    order.push(best.waiting[best.at++]!)
  }
  return [...order, ...boards.flatMap(({ waiting }) => waiting.filter(isLater))]
}
