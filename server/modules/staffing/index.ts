/** Staffing: how many people a queue needs, what a change would do, what a past day would have been like. */
import type { Operation } from '../../kernel/operation.ts'
import { calculate, requirements } from './calculator.ts'
import { acknowledge } from './floor/acknowledge.ts'
import { floor } from './floor/floor.ts'
import { shiftPlan } from './shift-plan.ts'
import { simulate } from './simulate.ts'
import { tomorrowOperations } from './tomorrow/index.ts'
import { closingForecast, stopIntake, whatIf } from './what-if.ts'

export { jobs } from './tomorrow/index.ts'

export const operations: readonly Operation[] = [
  calculate,
  requirements,
  shiftPlan,
  simulate,
  whatIf,
  closingForecast,
  stopIntake,
  floor,
  acknowledge,
  ...tomorrowOperations,
]
