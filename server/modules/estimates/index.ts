/** Estimates of waits: learned from the log, announced as forecasts, and how right they were. */
import type { Operation } from '../../kernel/operation.ts'
import { getEstimateAccuracy } from './accuracy.ts'
import { refreshEstimates } from './refresh.ts'
import { withdrawStale } from './withdraw.ts'

export { jobs } from './jobs.ts'

export const operations: readonly Operation[] = [refreshEstimates, withdrawStale, getEstimateAccuracy]
