import type { Context } from '../../kernel/operation.ts'
import type { Query } from './query.ts'
import type { Kind } from './schema.ts'

/** Where the caller may look; null = everywhere. */
export interface Place {
  sites: readonly number[] | null
  queues: readonly number[] | null
}
/** What an engine found by the own words of each: at most `most` of a kind, the likeliest first. */
export type Found = Record<Kind, number[]>

/** Two engines, one contract: they say where to look, and the database what is there and who may see it. */
export type Find = (ctx: Context, query: Query, place: Place, most: number) => Promise<Found>

/** How far back tickets are looked for by their number, which begins again every day. */
export const NUMBER_DAYS = 14
