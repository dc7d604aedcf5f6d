import type { Frame } from '../../../shared/board.ts'
import { applyTicketView, type TicketView, type VisitorTicket } from '../../../shared/views.ts'
import { follow, type FollowOptions } from '../../data/live.ts'

/** An event as its own visitor sees it: the whole ticket, and nothing of anybody else. */
export interface TicketFrame extends Frame {
  at: string
  ticket?: VisitorTicket
}
type Watching = Pick<FollowOptions<TicketView, TicketFrame>, 'onView' | 'onFreshness'>

/** The live ticket, from now on; the answer ends it. */
export function watchTicket(token: string, watching: Watching): () => void {
  const following = follow<TicketView, TicketFrame>({
    path: `/ws/tickets/${token}/`,
    reduce: applyTicketView,
    ...watching,
  })
  return () => following.close()
}
