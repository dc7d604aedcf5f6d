import type { Direct } from './direct.ts'

/** A table, and what it would be on a distributed engine. */
interface Placement {
  table: string
  /** `distributed`: its rows lie where their organisation's lie. `reference`: a copy on every node. */
  as: 'distributed' | 'reference'
}
export interface DistributionPlan {
  /** In the order in which they can be made so: whoever is referred to first. */
  placements: Placement[]
  /** What stands in the way, one sentence each; empty when everything qualifies. */
  problems: string[]
  /** Functions that see past the walls of organisations: each has to be judged by who reads it (docs/scale.md). */
  crossing: string[]
}

/** The engine spreads rows by this. */
const COLUMN = 'tenant_id'
/** Found by a secret before anybody knows whose it is: a copy on every node, though they name an organisation. */
const BEFORE_TENANT = new Set(['sessions', 'device_pairings'])
/** Are rows of a table with these columns spread by organisation? */
export const isSpread = (table: string, columns: readonly string[]): boolean =>
  columns.includes(COLUMN) && !BEFORE_TENANT.has(table)

interface Catalog {
  tables: { name: string; columns: string[]; first: string | null }[]
  keys: { table: string; name: string; kind: string; columns: string[] }[]
  foreign: {
    table: string
    name: string
    columns: string[]
    target: string
    target_columns: string[]
    emptied: string[]
  }[]
  functions: { name: string; definer: boolean; body: string }[]
}

const TABLES = `
  select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns,
    (select case when bool_and(own.first = '${COLUMN}') then '${COLUMN}' else min(own.first) end from (
       select a1.attname::text as first from pg_class part
       left join pg_index i on i.indrelid = part.oid and i.indisprimary
       left join pg_attribute a1 on a1.attrelid = part.oid and a1.attnum = i.indkey[0]
       where part.relkind = 'r' and (part.oid = c.oid or part.oid in (select h.inhrelid from pg_inherits h where h.inhparent = c.oid))) own) as first
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition group by c.oid, c.relname order by 1`
/** Indexes too: one that is unique is a key to the engine. A table in parts is placed as one, and each part has keys of its own. */
const KEYS = `
  select coalesce((select p.relname from pg_inherits h join pg_class p on p.oid = h.inhparent where h.inhrelid = c.oid), c.relname) as table,
    x.relname as name, case when i.indisprimary then 'primary key' when i.indisexclusion then 'exclusion' else 'unique' end as kind,
    array(select a.attname::text from unnest(i.indkey) k join pg_attribute a on a.attrelid = c.oid and a.attnum = k) as columns
  from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
  where c.relnamespace = 'public'::regnamespace and (i.indisunique or i.indisexclusion) order by 1, 2`
const FOREIGN = `
  select c.relname as table, o.conname as name, t.relname as target, case when o.confupdtype in ('c', 'n', 'd') then array['tenant_id']
      when o.confdeltype not in ('n', 'd') then '{}'
      else array(select a.attname::text from unnest(coalesce(o.confdelsetcols, o.conkey)) k(n) join pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.n)
    end as emptied,
    array(select a.attname::text from unnest(o.conkey) with ordinality k(n, i) join pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.n order by k.i) as columns,
    array(select a.attname::text from unnest(o.confkey) with ordinality k(n, i) join pg_attribute a on a.attrelid = o.confrelid and a.attnum = k.n order by k.i) as target_columns
  from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_class t on t.oid = o.confrelid
  where o.contype = 'f' and c.relnamespace = 'public'::regnamespace order by 1, 2`
const FUNCTIONS = `
  select p.proname as name, p.prosecdef as definer, p.prosrc as body from pg_proc p
  where p.pronamespace = 'app'::regnamespace and p.prokind = 'f' order by 1`

/** Judges the schema of a database by the rules of an engine that spreads tables by organisation (Citus). */
export async function planDistribution(query: Direct['query']): Promise<DistributionPlan> {
  const [tables, keys, foreign, functions] = await Promise.all([
    query<Catalog['tables'][number]>(TABLES),
    query<Catalog['keys'][number]>(KEYS),
    query<Catalog['foreign'][number]>(FOREIGN),
    query<Catalog['functions'][number]>(FUNCTIONS),
  ])
  return judge({ tables, keys, foreign, functions })
}

/** The rules alone, on a catalogue that was read. */
export function judge({ tables, keys, foreign, functions }: Catalog): DistributionPlan {
  const distributed = new Set(tables.filter(({ name, columns }) => isSpread(name, columns)).map(({ name }) => name))
  const problems: string[] = []
  for (const { name, first } of tables)
    if (distributed.has(name) && first !== COLUMN)
      problems.push(
        `${name}: its primary key ${first === null ? 'is missing' : `begins with ${first}`}, not with ${COLUMN}`,
      )
  for (const { table, name, kind, columns } of keys)
    if (distributed.has(table) && !columns.includes(COLUMN))
      problems.push(`${table}: ${kind} ${name} leaves ${COLUMN} out`)
  for (const { table, name, columns, target, target_columns, emptied } of foreign) {
    const [from, to] = [distributed.has(table), distributed.has(target)]
    const at = columns.indexOf(COLUMN)
    if (from && to && (at < 0 || target_columns[at] !== COLUMN))
      problems.push(`${table}: ${name} may lead to another organisation's ${target}`)
    if (!from && to)
      problems.push(`${table}: ${name} leads from a table of all organisations to rows of one (${target})`)
    if (from && emptied.includes(COLUMN))
      problems.push(`${table}: ${name} would change ${COLUMN} when a row of ${target} goes or changes`)
  }
  const crossing = functions
    .filter(({ definer, body }) => definer && [...distributed].some((table) => new RegExp(`\\b${table}\\b`).test(body)))
    .map(({ name }) => name)
  return { placements: inOrder(tables, foreign, distributed), problems, crossing }
}

function inOrder(
  tables: Catalog['tables'],
  foreign: Catalog['foreign'],
  distributed: ReadonlySet<string>,
): Placement[] {
  const left = new Set(tables.map(({ name }) => name))
  const placements: Placement[] = []
  // Tables of all organisations first: rows of organisations refer to them, never the other way.
  for (const wanted of ['reference', 'distributed'] as const)
    for (let found = true; found;) {
      found = false
      for (const name of [...left].filter((each) => distributed.has(each) === (wanted === 'distributed'))) {
        const waits = foreign.some(({ table, target }) => table === name && target !== name && left.has(target))
        if (waits) continue
        placements.push({ table: name, as: wanted })
        left.delete(name)
        found = true
      }
    }
  // Tables that refer to each other: their order does not matter once both are there.
  for (const name of left) placements.push({ table: name, as: distributed.has(name) ? 'distributed' : 'reference' })
  return placements
}

/** The statements that turn the schema into it. Foreign keys go first and come back last: the engine takes tables one by one. */
export function distributionStatements({ placements }: DistributionPlan): string[] {
  const first = placements.find(({ as }) => as === 'distributed')?.table
  return placements.map(({ table, as }) =>
    as === 'reference'
      ? `select create_reference_table('${table}')`
      : `select create_distributed_table('${table}', '${COLUMN}'${table === first ? '' : `, colocate_with => '${first}'`})`,
  )
}
