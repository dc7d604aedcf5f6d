/** Slot arithmetic: pure, in milliseconds since 1970, so that clocks that jump in spring and autumn do not matter. */

/** What the places of a queue depend on. */
export interface Booking {
  queue_id: number
  duration_seconds: number
  buffer_before_seconds: number
  buffer_after_seconds: number
  interval_seconds: number | null
  resource: 'none' | 'counters' | 'agents'
  capacity: number
  overbooking_percent: number
  /** Ids of the counters or agents it may occupy. */
  resources: readonly number[]
}
/** An appointment that takes a place: from, until, its queue, size, counter, agent. */
export type Taken = readonly [
  busyFrom: number,
  busyUntil: number,
  queueId: number,
  partySize: number,
  counterId: number | null,
  agentId: number | null,
]
interface Span {
  from: number
  until: number
}

/** Starts of the slots that fit into the open intervals, in order. */
export function startsIn(spans: readonly Span[], booking: Booking): number[] {
  const duration = booking.duration_seconds * 1000
  const step =
    (booking.interval_seconds ??
      booking.duration_seconds + booking.buffer_before_seconds + booking.buffer_after_seconds) * 1000
  const starts: number[] = []
  for (const { from, until } of spans) for (let at = from; at + duration <= until; at += step) starts.push(at)
  return starts
}

/** How many may be booked in all where `places` are there. */
export const withOverbooking = (places: number, percent: number) => places + Math.floor((places * percent) / 100)

/**
 * Free places of each start (ascending); never negative. An appointment counts in every slot whose busy time, buffers
 * included, it overlaps. A resource that is busy twice within a slot is one resource.
 */
export function placesAt(starts: readonly number[], booking: Booking, taken: readonly Taken[]): number[] {
  const before = booking.buffer_before_seconds * 1000
  const after = (booking.duration_seconds + booking.buffer_after_seconds) * 1000
  const isBound = booking.resource !== 'none'
  const total = withOverbooking(isBound ? booking.resources.length : booking.capacity, booking.overbooking_percent)
  const used = new Int32Array(starts.length)
  const own = isBound ? new Set(booking.resources) : undefined
  const marks = new Map<number, Uint8Array>()
  for (const [from, until, queueId, partySize, counterId, agentId] of taken) {
    const resource = booking.resource === 'counters' ? counterId : booking.resource === 'agents' ? agentId : null
    const isMine = resource === null ? queueId === booking.queue_id : own!.has(resource)
    if (!isMine) continue
    let seen: Uint8Array | undefined
    if (resource !== null) {
      seen = marks.get(resource)
      if (!seen) marks.set(resource, (seen = new Uint8Array(starts.length)))
    }
    // Slots with start − before < until and from < start + after.
    for (let i = firstAfter(starts, from - after); i < starts.length && starts[i]! - before < until; i++) {
      if (seen) {
        if (seen[i]) continue
        seen[i] = 1
      }
      used[i]! += isBound ? 1 : partySize
    }
  }
  return Array.from(used, (count) => Math.max(0, total - count))
}

/** The resource to occupy at a start: the first that is free; null when all are busy. */
export function freeResource(start: number, booking: Booking, taken: readonly Taken[]): number | null {
  const from = start - booking.buffer_before_seconds * 1000
  const until = start + (booking.duration_seconds + booking.buffer_after_seconds) * 1000
  const busy = new Set(
    taken
      .filter(([busyFrom, busyUntil]) => busyFrom < until && from < busyUntil)
      .map(([, , , , counterId, agentId]) => (booking.resource === 'counters' ? counterId : agentId)),
  )
  return booking.resources.find((id) => !busy.has(id)) ?? null
}

/** Index of the first value greater than `limit`. */
function firstAfter(values: readonly number[], limit: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle]! > limit) high = middle
    else low = middle + 1
  }
  return low
}
