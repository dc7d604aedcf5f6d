import Type, { type Static } from 'typebox'
import { Closed, Nullable } from '../../../kernel/schema.ts'
import type { Cell, Cells } from '../rollup/read.ts'

const Count = Type.Integer({ minimum: 0 })
const Average = Nullable(Type.Number({ minimum: 0 }))
const Percentile = Nullable(Type.Integer({ minimum: 0 }))
const ShareOf = (description: string) =>
  Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], { description })

/** Times in seconds, shares from 0 to 1; null where there is nothing to tell of. */
const figureFields = {
  arrivals: Type.Integer({ minimum: 0, description: 'Stays that began here' }),
  total_customers: Type.Integer({ minimum: 0, description: 'People who came into the queues, by transfer too' }),
  called: Count,
  served: Count,
  no_shows: Count,
  abandoned: Type.Integer({ minimum: 0, description: 'Left while waiting' }),
  expired: Count,
  returned: Count,
  transferred: Count,
  unfinished: Type.Integer({ minimum: 0, description: 'Not over yet when the day was looked at last' }),
  average_wait_time: Average,
  p50_wait_time: Percentile,
  p90_wait_time: Percentile,
  max_wait_time: Percentile,
  average_walk_time: Average,
  average_service_time: Average,
  p50_service_time: Percentile,
  p90_service_time: Percentile,
  average_held_time: Average,
  average_time_before_leaving: Average,
  within_goal: ShareOf('Of those called'),
  within_promise: ShareOf('Called by the high end of the range they were told'),
  no_show_rate: ShareOf('Of those called'),
  abandonment_rate: ShareOf('Of those who came'),
  average_rating: Nullable(Type.Number({ minimum: 1, maximum: 5 })),
} as const
export const Figures = Closed(figureFields)
export type Figures = Static<typeof Figures>

/** Percentiles are counted in steps and rounded up to their end, at most 15 seconds in the first minute, then 30. */
export const isRounded = { is_rounded: Type.Boolean({ description: 'Percentiles are rounded up to a step' }) }

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

const NOTHING: Omit<Cell, 'keys'> = {
  arrivals: 0,
  total_customers: 0,
  called: 0,
  started: 0,
  services: 0,
  served: 0,
  no_shows: 0,
  abandoned: 0,
  expired: 0,
  returned: 0,
  transferred: 0,
  unfinished: 0,
  held: 0,
  within_goal: 0,
  promised: 0,
  within_promise: 0,
  inside_promise: 0,
  rated: 0,
  rating_sum: 0,
  wait_seconds: 0,
  walk_seconds: 0,
  service_seconds: 0,
  held_seconds: 0,
  abandoned_seconds: 0,
  promise_error_seconds: 0,
  promise_absolute_error_seconds: 0,
  max_wait_seconds: 0,
  p50_wait_time: null,
  p90_wait_time: null,
  p50_service_time: null,
  p90_service_time: null,
}

/** What people read, from what was added up. */
export function figuresOf(cell: Omit<Cell, 'keys'>): Figures {
  const { called, started, services, held, abandoned, promised, rated, total_customers } = cell
  return {
    arrivals: cell.arrivals,
    total_customers,
    called,
    served: cell.served,
    no_shows: cell.no_shows,
    abandoned,
    expired: cell.expired,
    returned: cell.returned,
    transferred: cell.transferred,
    unfinished: cell.unfinished,
    average_wait_time: ratio(cell.wait_seconds, called),
    p50_wait_time: cell.p50_wait_time,
    p90_wait_time: cell.p90_wait_time,
    max_wait_time: called === 0 ? null : cell.max_wait_seconds,
    average_walk_time: ratio(cell.walk_seconds, started),
    average_service_time: ratio(cell.service_seconds, services),
    p50_service_time: cell.p50_service_time,
    p90_service_time: cell.p90_service_time,
    average_held_time: ratio(cell.held_seconds, held),
    average_time_before_leaving: ratio(cell.abandoned_seconds, abandoned),
    within_goal: ratio(cell.within_goal, called),
    within_promise: ratio(cell.within_promise, promised),
    no_show_rate: ratio(cell.no_shows, called),
    abandonment_rate: ratio(abandoned, total_customers),
    average_rating: ratio(cell.rating_sum, rated),
  }
}
/** The one cell of a period that was not split. */
export const wholeOf = ({ cells }: Cells): Omit<Cell, 'keys'> => cells[0] ?? NOTHING
