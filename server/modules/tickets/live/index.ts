/** Positions, estimates, boards and feeds: everything that is read while people wait. */
import type { Operation } from '../../../kernel/operation.ts'
import { getAgentStats } from './agent-stats.ts'
import { getAgentBoard, getDisplayBoard, getQueueBoard } from './read.ts'
import { refreshQueues } from './refresh.ts'
import { replayDay } from './replay.ts'
import { getQueueStats } from './stats.ts'

export { feeds } from './feeds.ts'
export { newcomerFigures, ticketFigures, withFigures, type Figures } from './figures.ts'
export { lineLengths } from './lengths.ts'
export { refreshQueues } from './refresh.ts'
export { ticketView } from './visitor.ts'
export { TicketViewOutput } from './schema.ts'

export const operations: readonly Operation[] = [
  getQueueBoard,
  getDisplayBoard,
  getAgentBoard,
  getQueueStats,
  getAgentStats,
  refreshQueues,
  replayDay,
]
