/** Lengths from 0 to 20 one by one, then by 15 % steps; idle servers, when nobody waits, are lengths below 0. */
const IDLE = 6
const EACH = 21
const GROWTH = 1.15
const BUCKETS = IDLE + EACH + 20
/** Customers after which the mean moves no slower. */
const MEMORY = 60
/** The mean of all classes weighs like so many customers of the class, the fallback like so many of all classes. */
const ALL_CLASSES_WEIGHT = 3
const FALLBACK_WEIGHT = 2
const NEIGHBOUR_WEIGHT = 0.3

/** Where waits of customers who found the line like this are kept. */
export function lengthBucket(ahead: number, idle: number): number {
  if (ahead < 0.5 && idle > 0) return IDLE - Math.min(IDLE, Math.ceil(idle))
  if (ahead < EACH - 0.5) return IDLE + Math.round(ahead)
  return Math.min(BUCKETS - 1, IDLE + EACH + Math.floor(Math.log(ahead / EACH) / Math.log(GROWTH) + 1e-9))
}

/** Free servers that a bucket stands for. */
export const idleOf = (bucket: number): number => Math.max(0, IDLE - bucket)

const lengthOf = (bucket: number) =>
  bucket < IDLE + EACH ? Math.max(0, bucket - IDLE) : EACH * GROWTH ** (bucket - IDLE - EACH)

/** Means and counts by bucket. */
class Means {
  values = new Float32Array(BUCKETS)
  counts = new Float32Array(BUCKETS)

  learn(bucket: number, value: number): void {
    this.counts[bucket] = Math.min(MEMORY, this.counts[bucket]! + 1)
    this.values[bucket]! += (value - this.values[bucket]!) / this.counts[bucket]!
  }
}

/**
 * AvgC-LES (Thiongane, Chan & L'Ecuyer 2016): the mean, in log seconds, of what customers of the class waited who found
 * the line as long. Where few did, drawn to the other classes, to lengths beside it, and to a fallback.
 */
export class ByLength {
  #all = new Means()
  #classes = new Map<number, Means>()

  estimate(kind: number, bucket: number, fallback: number): number {
    let weight = this.#all.counts[bucket]! + FALLBACK_WEIGHT
    let sum = this.#all.values[bucket]! * this.#all.counts[bucket]! + fallback * FALLBACK_WEIGHT
    for (const next of bucket > IDLE + 1 ? [bucket - 1, bucket + 1] : []) {
      if (next <= IDLE || next >= BUCKETS) continue
      const count = this.#all.counts[next]! * NEIGHBOUR_WEIGHT
      // A wait grows about as the line does.
      sum += (this.#all.values[next]! + Math.log((lengthOf(bucket) + 1) / (lengthOf(next) + 1))) * count
      weight += count
    }
    const ofAll = sum / weight
    const own = this.#classes.get(kind)
    if (!own) return ofAll
    const count = own.counts[bucket]!
    return (own.values[bucket]! * count + ofAll * ALL_CLASSES_WEIGHT) / (count + ALL_CLASSES_WEIGHT)
  }

  learn(kind: number, bucket: number, log: number): void {
    let own = this.#classes.get(kind)
    if (!own) this.#classes.set(kind, (own = new Means()))
    own.learn(bucket, log)
    this.#all.learn(bucket, log)
  }

  save() {
    const classes = [...this.#classes].map(([kind, { values, counts }]) => [kind, values, counts] as const)
    return [[-1, this.#all.values, this.#all.counts] as const, ...classes]
  }
  load(saved: ReturnType<ByLength['save']>): void {
    for (const [kind, values, counts] of saved) {
      const means = kind < 0 ? this.#all : new Means()
      means.values = values
      means.counts = counts
      if (kind >= 0) this.#classes.set(kind, means)
    }
  }
}
