import { rankInTurn, type RankedTicket, type RankingConfig } from '../queues/index.ts'
import { placeAfter, precedes, type Place } from './rules.ts'

/** A waiting ticket with what its rank is made of. */
export interface Orderable extends Place {
  ranked: RankedTicket
  /** Put where it stands by somebody: it keeps its place in the line, counted from the head. */
  is_placed: boolean
}

/**
 * The ranks of everybody who waits, made anew: as if all had entered under `config`, one after the other. Who was put
 * somewhere by hand is as far from the head as before. `finishes` is the memory of fair shares that this leaves.
 */
export function reordered(
  config: RankingConfig,
  line: readonly Orderable[],
): { order: Place[]; finishes: Record<string, number> } {
  const byArrival = line
    .filter(({ is_placed }) => !is_placed)
    .sort((a, b) => a.ranked.arrived_at - b.ranked.arrived_at || a.id - b.id)
  const { ranks, finishes } = rankInTurn(
    config,
    byArrival.map(({ ranked }) => ranked),
    { head: null, finishes: {} },
  )
  const order = byArrival.map(({ id }, i): Place => ({ id, rank: ranks[i]! })).sort(inOrder)
  for (const [index, { id, rank, is_placed }] of line.toSorted(inOrder).entries()) {
    if (!is_placed) continue
    const at = Math.min(index, order.length)
    const slot = placeAfter(order[at - 1] ?? null, order.slice(at, at + NEIGHBOURS), id)
    for (const shifted of slot?.shifted ?? []) order.find((other) => other.id === shifted.id)!.rank = shifted.rank
    order.splice(at, 0, { id, rank: slot?.rank ?? rank })
  }
  return { order, finishes }
}
/** A run of ranks without room is never longer. */
const NEIGHBOURS = 1000
const inOrder = (a: Place, b: Place): number => (precedes(a, b) ? -1 : 1)
