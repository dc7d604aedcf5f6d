import { readFileSync } from 'node:fs'

/** Before the first release nobody ran an older version beside: what came until then is as it is. */
const UNRELEASED_THROUGH = 90

/**
 * What a program of the version before cannot live with. A migration that does any of it is no `-- expand`: it is a `-- contract`, of a release
 * after the one that stopped using it.
 */
const BREAKS: [name: string, pattern: RegExp][] = [
  [
    'drops a table, column, view, function or type',
    /\bdrop\s+(?:table|column|view|materialized\s+view|function|procedure|type|schema)\b/,
  ],
  ['renames', /\brename\s+(?:to\b|column\b|constraint\b|\w+\s+to\b)/],
  ['changes the type of a column', /\balter\s+(?:column\s+)?"?\w+"?\s+(?:set\s+data\s+)?type\b/],
  ['forbids null where old code may write it', /\bset\s+not\s+null\b/],
  ['takes a default away', /\bdrop\s+default\b/],
  ['takes rights away', /\brevoke\b/],
  [
    'locks writers out while an index is made',
    /\bcreate\s+(?:unique\s+)?index\s+on\s+only\b|\bcluster\b|\bvacuum\s+full\b/,
  ],
]
/** A new column that has to be given a value, which old code does not give. */
const NEEDS_VALUE = /\badd\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?"?\w+"?\s+[^,;]*?\bnot\s+null\b[^,;]*/g
const GIVES_VALUE = /\bdefault\b|\bgenerated\b/

/** What of a migration breaks the version before, in words; empty when it may run beside it. */
export function breaksOf(sql: string): string[] {
  const plain = withoutBodies(sql).toLowerCase()
  const made = new Set([...plain.matchAll(/create table (?:if not exists )?(\w+)/g)].map(([, name]) => name!))
  // What a migration made itself, nobody used before it.
  const statements = plain.split(';').filter((statement) => {
    const [, table] = /alter table (?:only )?(\w+)/.exec(statement) ?? /\bon (\w+)/.exec(statement) ?? []
    return table === undefined || !made.has(table)
  })
  const found = BREAKS.filter(([, pattern]) => statements.some((statement) => pattern.test(statement))).map(
    ([name]) => name,
  )
  const unfilled = statements
    .filter((statement) => /alter table/.test(statement))
    .flatMap((statement) => statement.match(NEEDS_VALUE) ?? [])
    .filter((column) => !GIVES_VALUE.test(column) && !/^add (?:constraint|check|primary|unique|foreign)/.test(column))
  return unfilled.length > 0 ? [...found, 'adds a column that must be given a value'] : found
}

/** Comments and the bodies of functions say nothing of what the schema loses. */
const withoutBodies = (sql: string): string =>
  sql
    .replace(/--[^\n]*/g, '')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(\$\w*\$)[\s\S]*?\1/g, '')
    .replace(/'(?:[^']|'')*'/g, `''`)

/** Migrations that are called expand and are not, one line each. */
export function migrationViolations(
  files: readonly string[],
  read = (file: string) => readFileSync(file, 'utf8'),
): string[] {
  return files.flatMap((file) => {
    const number = Number(/^db\/migrations\/(\d+)_/.exec(file)?.[1] ?? 0)
    if (number <= UNRELEASED_THROUGH) return []
    const sql = read(file)
    if (!sql.startsWith('-- expand\n')) return []
    return breaksOf(sql).map((name) => `${file}: is called expand and ${name}: the version before runs beside it`)
  })
}
