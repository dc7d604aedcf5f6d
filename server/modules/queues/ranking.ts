import { appointment, aging, fairShare, fifo, priority, sla } from './algorithms.ts'
import type { Algorithm, AlgorithmSettings, Line, Rank, RankedTicket } from './algorithm.ts'

/** By the name a queue is configured with. */
export const algorithms: Record<string, Algorithm> = {
  fifo,
  priority,
  aging,
  sla,
  fair_share: fairShare,
  appointment,
}
/** Ours that look at nothing but class and arrival: they need no reading of the clock before a ticket is written. */
const CLOCKLESS: ReadonlySet<string> = new Set(['fifo', 'priority', 'aging', 'sla'])
export const looksAtClock = ({ algorithm }: Pick<RankingConfig, 'algorithm'>): boolean => !CLOCKLESS.has(algorithm)
export const isAlgorithm = (name: string): boolean => Object.hasOwn(algorithms, name)

/**
 * Adds the functions a module exports, each under the name of the export. Every process of an installation must load the
 * same ones, before it starts (ALGORITHM_PLUGINS). A module may be registered again.
 * @throws RangeError for a name that is taken or no name, TypeError for what is no function
 */
export function registerAlgorithms(module: Readonly<Record<string, unknown>>): void {
  for (const [name, algorithm] of Object.entries(module)) {
    if (isAlgorithm(name) && algorithms[name] === algorithm) continue
    if (!/^[a-z][a-z0-9_]{0,49}$/.test(name) || isAlgorithm(name))
      throw new RangeError(`no algorithm can be called ${name}`)
    if (typeof algorithm !== 'function') throw new TypeError(`${name} is no function`)
    algorithms[name] = algorithm as Algorithm
  }
}

export interface RankingConfig {
  algorithm: string
  algorithm_settings: AlgorithmSettings
}

const EMPTY: Line = { head: null, finishes: {} }

/**
 * The place of a ticket in a queue.
 * @throws RangeError when the algorithm is unknown or does not answer with a safe integer
 */
export function rankOf(config: RankingConfig, ticket: RankedTicket, line: Line = EMPTY): Rank {
  if (!isAlgorithm(config.algorithm)) throw new RangeError(`no algorithm ${config.algorithm}`)
  const rank = algorithms[config.algorithm]!(ticket, config.algorithm_settings, line)
  if (!Number.isSafeInteger('at' in rank ? rank.at : rank.offset)) {
    throw new RangeError(`algorithm ${config.algorithm} gave no rank`)
  }
  return rank
}

/** A rank as stored, of a ticket whose arrival is certain. */
export const absoluteRank = (rank: Rank, arrivedAt: number): number =>
  'at' in rank ? rank.at : arrivedAt + rank.offset

/** The share a ticket counts against; undefined for an algorithm without a memory. */
export const shareOf = (config: RankingConfig, ticket: RankedTicket): string | undefined =>
  algorithms[config.algorithm]?.shareOf?.(ticket, config.algorithm_settings)

/** Whether ranks of this queue follow from those before them. */
export const remembers = (config: RankingConfig): boolean => algorithms[config.algorithm]?.shareOf !== undefined

/**
 * Ranks of tickets that enter one after the other, with the memory they leave.
 * @param line as the first finds it; `head` is the place of who waits there first
 */
export function rankInTurn(
  config: RankingConfig,
  tickets: readonly RankedTicket[],
  line: Line,
): { ranks: number[]; finishes: Record<string, number> } {
  const finishes = { ...line.finishes }
  let { head } = line
  const ranks = tickets.map((ticket) => {
    const rank = absoluteRank(rankOf(config, ticket, { head, finishes }), ticket.arrived_at)
    const share = shareOf(config, ticket)
    if (share !== undefined) finishes[share] = Math.max(finishes[share] ?? rank, rank)
    head = head === null ? rank : Math.min(head, rank)
    return rank
  })
  return { ranks, finishes }
}
