import { countSearch } from '../../kernel/metrics.ts'
import type { Context } from '../../kernel/operation.ts'
import type { Found, Place } from './engine.ts'
import { inPostgres } from './postgres.ts'
import type { Query } from './query.ts'
import type { EngineName } from './schema.ts'
import { noteDown, readyServer, searchServer } from './server.ts'

interface Answer {
  found: Found
  engine: EngineName
}

/** Asks the search server where there is one, and the database where there is none or it does not answer. */
export async function find(ctx: Context, query: Query, place: Place, most: number): Promise<Answer> {
  const server = readyServer()
  if (server) {
    try {
      const { today } = await ctx.tx.one<{ today: string }>('select current_date as today')
      const found = await server.find(ctx.tenant.id, query, place, most, today)
      countSearch('opensearch', 'answered')
      return { found, engine: 'opensearch' }
    } catch (error) {
      countSearch('opensearch', 'failed')
      noteDown(error)
    }
  }
  const found = await inPostgres(ctx, query, place, most)
  countSearch('postgresql', searchServer() ? 'stood_in' : 'answered')
  return { found, engine: 'postgresql' }
}
