import type { Sample } from '../sample.ts'
import { clamp, timeOfDay, weekdayOf } from '../scale.ts'

/** Features of a sample that trees look at, with their range: deviations of the experts, then of the circumstances. */
const EXPERT_RANGE = [-2, 2] as const
/** By their place behind the experts: length, load, open counters, free servers. */
const CIRCUMSTANCES = [
  [5, -1.5, 4],
  [6, -2, 2],
  [8, -1, 2.5],
  [9, -1, 1],
] as const
const OTHERS = 6

export const widthOf = (experts: number): number => experts + CIRCUMSTANCES.length + OTHERS

type Seen = Pick<Sample, 'at' | 'base' | 'regime' | 'features'>

/** What trees see of a sample whose learned mix says `mixed`, a byte each. `slot` is the place of its line and class. */
export function rowOf(sample: Seen, mixed: number, experts: number, slotsFrom: number): Uint8Array<ArrayBuffer> {
  const { at, base, regime, features } = sample
  const row = new Uint8Array(widthOf(experts))
  for (let i = 0; i < experts; i++) row[i] = byte(features[i]!, ...EXPERT_RANGE)
  for (const [i, [place, low, high]] of CIRCUMSTANCES.entries()) {
    row[experts + i] = byte(features[experts + place]!, low, high)
  }
  const slot = features.indexOf(1, slotsFrom) - slotsFrom
  row.set(
    [slot, byte(base, 3, 12), byte(mixed - base, -1.5, 1.5), byte(timeOfDay(at), 0, 86_400), regime, weekdayOf(at)],
    experts + CIRCUMSTANCES.length,
  )
  return row
}

const byte = (value: number, low: number, high: number): number =>
  Math.round((255 * (clamp(value, low, high) - low)) / (high - low))
