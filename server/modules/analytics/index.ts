/** Analytics: what queues were like, added up each night and read from there. A listener: nobody imports it. */
import type { Operation } from '../../kernel/operation.ts'
import { exportOperations } from './exports/operations.ts'
import { agentReport, breakdown } from './reports/breakdown.ts'
import { cohort } from './reports/cohort.ts'
import { accuracy, funnel, serviceLevels } from './reports/goals.ts'
import { live } from './reports/live.ts'
import { occupancy } from './reports/occupancy.ts'
import { heatmap, hoursByService, overview, waitOverDay } from './reports/overview.ts'
import { queueMetrics } from './reports/queue-metrics.ts'
import { scheduledOperations } from './scheduled/resource.ts'
import { aggregate, replay } from './rollup/operations.ts'

export { exportFile, type ExportFile } from './exports/operations.ts'
export { jobs } from './jobs.ts'

export const operations: readonly Operation[] = [
  queueMetrics,
  overview,
  waitOverDay,
  heatmap,
  hoursByService,
  breakdown,
  serviceLevels,
  funnel,
  cohort,
  agentReport,
  accuracy,
  live,
  occupancy,
  aggregate,
  replay,
  ...exportOperations,
  ...scheduledOperations,
]
