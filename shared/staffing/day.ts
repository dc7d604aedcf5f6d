/**
 * A day of one queue played by the real order of service: who comes, who is called when, by how many counters. Times are
 * seconds from any common start.
 */

/** Somebody who comes. */
export interface Visit {
  id: number
  arrived_at: number
  /** What the service takes once called, walk and wrap-up included. */
  service_seconds: number
  /** Leaves by itself after so long, unless called before; null waits for ever. */
  leaves_after: number | null
  /** Rank given at the door; lower is served first, then the lower id. */
  rank: number
}
/** Counters open from some second on. */
export interface Step {
  at: number
  counters: number
}
interface Served {
  id: number
  called_at: number
  ended_at: number
}
export interface DayResult {
  /** In the order of calls. */
  served: Served[]
  left: { id: number; at: number }[]
  /** Who still waits when the day ends. */
  unserved: number[]
}

interface Waiting<V> {
  rank: number
  id: number
  visit: V
}
const precedes = (a: Waiting<unknown>, b: Waiting<unknown>) => a.rank < b.rank || (a.rank === b.rank && a.id < b.id)

/** A binary heap: the first in line is taken in O(log n). */
export class Line<V> {
  #items: Waiting<V>[] = []
  /** In no order. */
  get items(): readonly Waiting<V>[] {
    return this.#items
  }
  get size(): number {
    return this.#items.length
  }
  peek(): Waiting<V> | undefined {
    return this.#items[0]
  }
  push(item: Waiting<V>): void {
    const items = this.#items
    let i = items.push(item) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!precedes(item, items[parent]!)) break
      items[i] = items[parent]!
      i = parent
    }
    items[i] = item
  }
  pop(): Waiting<V> | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= items.length) break
      if (child + 1 < items.length && precedes(items[child + 1]!, items[child]!)) child++
      if (!precedes(items[child]!, last)) break
      items[i] = items[child]!
      i = child
    }
    items[i] = last
    return first
  }
}

/**
 * Plays a day. A counter that is free calls the first in line at once; one that closes finishes whom it serves.
 * @param visits in the order of arrival; those who wait already come at the start
 * @param steps in order; counters of the last one stay open
 * @param until nobody is called from then on; Infinity serves everybody
 */
export function playDay(visits: readonly Visit[], steps: readonly Step[], until = Infinity): DayResult {
  const result: DayResult = { served: [], left: [], unserved: [] }
  const line = new Line<Visit>()
  /** Ends of the services that go on, ascending. */
  const busy: number[] = []
  let coming = 0
  let step = 0
  let counters = 0
  let now = -Infinity

  const call = () => {
    while (busy.length < counters && line.size > 0 && now < until) {
      const { visit } = line.pop()!
      const leaves = visit.leaves_after === null ? Infinity : visit.arrived_at + visit.leaves_after
      if (leaves <= now) {
        result.left.push({ id: visit.id, at: leaves })
        continue
      }
      const ended_at = now + visit.service_seconds
      result.served.push({ id: visit.id, called_at: now, ended_at })
      let i = busy.length
      while (i > 0 && busy[i - 1]! > ended_at) i--
      busy.splice(i, 0, ended_at)
    }
  }
  for (;;) {
    const next = Math.min(busy[0] ?? Infinity, visits[coming]?.arrived_at ?? Infinity, steps[step]?.at ?? Infinity)
    if (next === Infinity) break
    now = next
    while (busy.length && busy[0]! <= now) busy.shift()
    while (step < steps.length && steps[step]!.at <= now) counters = steps[step++]!.counters
    while (coming < visits.length && visits[coming]!.arrived_at <= now) {
      const visit = visits[coming++]!
      line.push({ rank: visit.rank, id: visit.id, visit })
    }
    call()
  }
  for (let item = line.pop(); item; item = line.pop()) {
    const { visit } = item
    const leaves = visit.leaves_after === null ? Infinity : visit.arrived_at + visit.leaves_after
    if (leaves < until) result.left.push({ id: visit.id, at: leaves })
    else result.unserved.push(visit.id)
  }
  return result
}

/** Figures of some waits, in whole seconds; null where nobody waited. */
export interface WaitFigures {
  count: number
  mean_seconds: number | null
  p50_seconds: number | null
  p90_seconds: number | null
  max_seconds: number | null
}
export function waitFigures(waits: readonly number[]): WaitFigures {
  const sorted = waits.toSorted((a, b) => a - b)
  const count = sorted.length
  if (count === 0) return { count, mean_seconds: null, p50_seconds: null, p90_seconds: null, max_seconds: null }
  const at = (share: number) => Math.round(sorted[Math.min(count - 1, Math.ceil(share * count) - 1)]!)
  return {
    count,
    mean_seconds: Math.round(sorted.reduce((sum, wait) => sum + wait, 0) / count),
    p50_seconds: at(0.5),
    p90_seconds: at(0.9),
    max_seconds: Math.round(sorted[count - 1]!),
  }
}
