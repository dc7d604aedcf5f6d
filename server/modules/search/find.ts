import type { Context } from '../../kernel/operation.ts'
import type { Found, Place } from './engine.ts'
import { inPostgres } from './postgres.ts'
import type { Query } from './query.ts'
import type { EngineName } from './schema.ts'

/** Looks where this installation keeps what is searched. */
export async function find(
  ctx: Context,
  query: Query,
  place: Place,
  most: number,
): Promise<{ found: Found; engine: EngineName }> {
  return { found: await inPostgres(ctx, query, place, most), engine: 'postgresql' }
}
