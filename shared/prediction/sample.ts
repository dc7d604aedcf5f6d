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
  /** Tickets ahead when it came, and where waits of such are kept. */
  ahead: number
  bucket: number
  /** Median it was told when it came. */
  first_p50: number
  sample: Sample | null
  live: Sample | null
}

const FACTS = 8

/** Tickets as a few long arrays: hundreds may wait, and names would take more room than what they name. */
export function storeTickets(tickets: readonly Ticket[], lines: readonly string[]) {
  const facts = tickets.flatMap(({ id, line, kind, slot, at, ahead, bucket, first_p50 }) => [
    id,
    lines.indexOf(line),
    kind,
    slot,
    at,
    ahead,
    bucket,
    first_p50,
  ])
  const owned = tickets.flatMap(({ sample, live }, owner) =>
    [sample, live].flatMap((own, which) => (own ? [{ own, head: [owner, which, own.at, own.base, own.mixed] }] : [])),
  )
  return {
    facts: Float64Array.from(facts),
    heads: Float64Array.from(owned.flatMap(({ head, own }) => [...head, own.regime, own.context, own.low, own.high])),
    experts: Float32Array.from(owned.flatMap(({ own }) => [...own.experts])),
    features: Float16Array.from(owned.flatMap(({ own }) => [...own.features])),
  }
}

export function readTickets(stored: ReturnType<typeof storeTickets>, lines: readonly string[]): Ticket[] {
  const tickets = rowsOf(stored.facts, FACTS).map(
    ([id, line, kind, slot, at, ahead, bucket, first_p50]) =>
      ({
        id,
        line: lines[line!],
        kind,
        slot,
        at,
        ahead,
        bucket,
        first_p50,
        sample: null,
        live: null,
      }) as Ticket,
  )
  const heads = rowsOf(stored.heads, 9)
  const experts = rowsOf(stored.experts, stored.experts.length / heads.length)
  const features = rowsOf(stored.features, stored.features.length / heads.length)
  for (const [i, [owner, which, at, base, mixed, regime, context, low, high]] of heads.entries()) {
    const sample = { at, base, mixed, regime, context, low, high, experts: experts[i], features: features[i] } as Sample
    tickets[owner!]![which === 0 ? 'sample' : 'live'] = sample
  }
  return tickets
}

function rowsOf<T extends Float16Array | Float32Array | Float64Array>(values: T, width: number): T[] {
  const rows: T[] = []
  for (let at = 0; at < values.length; at += width) rows.push(values.slice(at, at + width) as T)
  return rows
}
