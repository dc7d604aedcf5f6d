import { connectDirect } from '../direct.ts'
import { isSpread } from '../distribution.ts'
import { sayWhose } from './rewrite.ts'

/** A statement with the organisation as its last parameter, and whether it has one. */
interface Routed {
  text: string
  isBound: boolean
}
export type Route = (text: string) => Routed

/**
 * Loads PostgreSQL's parser, and answers how statements are said to an engine that chooses the node by them. Each text is read once.
 * @param spread tables whose rows are spread by organisation
 */
async function router(spread: ReadonlySet<string>): Promise<Route> {
  const { loadModule, parseSync, scanSync } = await import('libpg-query')
  await loadModule()
  const known = new Map<string, Routed>()
  return (text) => {
    let routed = known.get(text)
    if (!routed) {
      const trees = (parseSync(text).stmts ?? []).map(({ stmt }) => stmt as Record<string, unknown>)
      const said = sayWhose(text, { trees, tokens: scanSync(text).tokens }, (table) => spread.has(table))
      known.set(text, (routed = { text: said, isBound: said !== text }))
    }
    return routed
  }
}

const TABLES = `
  select c.relname as name, array_agg(a.attname::text) as columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition group by c.relname`

/** The same for the tables of a database. */
export async function routerOf(url: string): Promise<Route> {
  const direct = await connectDirect(url)
  try {
    const tables = await direct.query<{ name: string; columns: string[] }>(TABLES)
    return await router(new Set(tables.filter(({ name, columns }) => isSpread(name, columns)).map(({ name }) => name)))
  } finally {
    await direct.close()
  }
}
