/** Tickets: taking, calling, serving and everything that may happen to a stay. */
import type { Operation } from '../../kernel/operation.ts'
import { applyRules } from './apply-rules.ts'
import { call } from './call.ts'
import { callNext } from './call-next.ts'
import { cancel } from './cancel.ts'
import { complete } from './complete.ts'
import { delay } from './delay.ts'
import { closeDay, sweepTimers } from './expire.ts'
import { explain, explainMine } from './explain.ts'
import { hold } from './hold.ts'
import { operations as liveOperations } from './live/index.ts'
import { move } from './move.ts'
import { next } from './next.ts'
import { noShow } from './no-show.ts'
import { reserveNumbers } from './offline/reserve.ts'
import { takeOffline } from './offline/take-offline.ts'
import { events, get, list } from './read.ts'
import { recall } from './recall.ts'
import { rerank } from './rerank.ts'
import { resume } from './resume.ts'
import { returnTicket } from './return.ts'
import { start } from './start.ts'
import { take } from './take.ts'
import { transfer } from './transfer.ts'
import { undo } from './undo.ts'
import { update } from './update.ts'
import { visitorOperations } from './visitor.ts'

export { endForTomorrow } from './cancel.ts'
export { edges } from './graphql.ts'
export { jobs } from './jobs.ts'
export {
  feeds,
  lineLengths,
  newcomerFigures,
  refreshQueues,
  ticketFigures,
  withFigures,
  type Figures,
} from './live/index.ts'
export { moveBehind } from './move.ts'
export { rebookTicket } from './rebook.ts'
export { TRANSITIONS, VERBS, type Transition, type Verb } from './rules.ts'
export { CHANNELS, Ticket } from './schema.ts'
export { TICKET_COLUMNS } from './sql.ts'
export { closeDay } from './expire.ts'
export { tellLive } from './tell-live.ts'
export { takeTickets, Taken as TakenTicket } from './take.ts'
export { siteNow, SiteNow } from './visit/site-page.ts'
export { visitorOf } from './visitor.ts'

export const operations: readonly Operation[] = [
  take,
  reserveNumbers,
  takeOffline,
  list,
  get,
  update,
  events,
  explain,
  explainMine,
  callNext,
  next,
  call,
  recall,
  start,
  hold,
  resume,
  complete,
  noShow,
  returnTicket,
  transfer,
  cancel,
  delay,
  move,
  rerank,
  applyRules,
  undo,
  closeDay,
  sweepTimers,
  ...visitorOperations,
  ...liveOperations,
]
