/** Remaining wait in seconds: 10 % wait less than `p10`, half less than `p50`, 10 % more than `p90`. */
export interface Prediction {
  p10: number
  p50: number
  p90: number
}

/** Everything a prediction was made from, kept until the truth is known. */
export interface Sample {
  at: number
  regime: number
  context: number
  /** Mean of the base experts and what was told before corrections, in log seconds. */
  base: number
  mixed: number
  /** The tracked quantiles of that instant. */
  low: number
  high: number
  /** The competing experts, the regression last, in log seconds. */
  experts: Float32Array<ArrayBuffer>
  features: Float16Array<ArrayBuffer>
}

/** A ticket that waits. */
export interface Ticket {
  id: number
  line: string
  kind: number
  slot: number
  at: number
  /** Tickets ahead when it came (of single precision, like `first_p50`), and where waits of such are kept. */
  ahead: number
  bucket: number
  /** Median it was told when it came. */
  first_p50: number
  sample: Sample | null
  live: Sample | null
}

/** Bytes of a stored ticket and of a sample that a ticket owns, and how many whole numbers the sample has. */
const SMALL = 5
const SAMPLE_SMALL = 6
const SAMPLE_WHOLES = 5
const byte = (value: number, place: number) => Math.floor(value / 256 ** place) % 256

/** Tickets as a few long arrays, each number as short as keeps every bit of it: hundreds may wait. */
export function storeTickets(tickets: readonly Ticket[], lines: readonly string[]) {
  const owned = tickets.flatMap(({ sample, live }, owner) =>
    [sample, live].flatMap((own, which) => (own ? [{ own, owner, which }] : [])),
  )
  return {
    small: Uint8Array.from(
      tickets.flatMap(({ line, kind, slot, bucket }) => {
        const at = lines.indexOf(line)
        return [byte(at, 0), byte(at, 1), kind, slot, bucket]
      }),
    ),
    wholes: Float64Array.from(tickets.flatMap(({ id, at }) => [id, at])),
    halves: Float32Array.from(tickets.flatMap(({ ahead, first_p50 }) => [ahead, first_p50])),
    sampleSmall: Uint8Array.from(
      owned.flatMap(({ own, owner, which }) => [
        byte(owner, 0),
        byte(owner, 1),
        byte(owner, 2),
        which,
        own.regime,
        own.context,
      ]),
    ),
    sampleWholes: Float64Array.from(
      owned.flatMap(({ own: { at, base, mixed, low, high } }) => [at, base, mixed, low, high]),
    ),
    experts: Float32Array.from(owned.flatMap(({ own }) => [...own.experts])),
    features: Float16Array.from(owned.flatMap(({ own }) => [...own.features])),
  }
}

export function readTickets(stored: ReturnType<typeof storeTickets>, lines: readonly string[]): Ticket[] {
  const small = rowsOf(stored.small, SMALL)
  const wholes = rowsOf(stored.wholes, 2)
  const halves = rowsOf(stored.halves, 2)
  const tickets = small.map(([first, second, kind, slot, bucket], i): Ticket => {
    const [id, at] = wholes[i]! as unknown as [number, number]
    const [ahead, first_p50] = halves[i]! as unknown as [number, number]
    const line = lines[first! + 256 * second!]!
    return { id, line, kind: kind!, slot: slot!, at, ahead, bucket: bucket!, first_p50, sample: null, live: null }
  })
  const heads = rowsOf(stored.sampleSmall, SAMPLE_SMALL)
  const values = rowsOf(stored.sampleWholes, SAMPLE_WHOLES)
  const experts = rowsOf(stored.experts, stored.experts.length / heads.length)
  const features = rowsOf(stored.features, stored.features.length / heads.length)
  for (const [i, [low0, low1, low2, which, regime, context]] of heads.entries()) {
    const [at, base, mixed, low, high] = values[i]!
    const sample = { at, base, mixed, regime, context, low, high, experts: experts[i], features: features[i] } as Sample
    tickets[low0! + 256 * low1! + 65_536 * low2!]![which === 0 ? 'sample' : 'live'] = sample
  }
  return tickets
}

function rowsOf<T extends Uint8Array | Float16Array | Float32Array | Float64Array>(values: T, width: number): T[] {
  const rows: T[] = []
  for (let at = 0; at < values.length; at += width) rows.push(values.slice(at, at + width) as T)
  return rows
}
