/**
 * `npm run test:routing [-- FILES]`: runs tests of what organisations ask for, reads every statement that they lead to with PostgreSQL's own
 * parser, and tells which ones do not say
 * themselves whose rows they want (docs/scale.md). What they answer is judged by the tests, as always.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'libpg-query'
import { startVitest } from 'vitest/node'
import { isSpread } from '../../server/kernel/db/distribution.ts'
import { columnsOf } from '../../server/modules/privacy/index.ts'
import { unboundTables, type Tree } from './bound.ts'

const columns = columnsOf(readFileSync(new URL('../../db/schema.sql', import.meta.url), 'utf8'))
const spread = new Set(
  [...Map.groupBy(columns, ({ table }) => table)]
    .filter(([table, own]) =>
      isSpread(
        table,
        own.map(({ column }) => column),
      ),
    )
    .map(([table]) => table),
)

const directory = mkdtempSync(join(tmpdir(), 'sq-statements-'))
try {
  const config = new URL('vitest.config.ts', import.meta.url).pathname
  const vitest = await startVitest('test', process.argv.slice(2), {
    config,
    watch: false,
    run: true,
    provide: { statements: directory },
  })
  await vitest.close()
  const texts = new Set(
    readdirSync(directory).flatMap((file) =>
      readFileSync(join(directory, file), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as string),
    ),
  )
  const missing = new Map<string, string[]>()
  let touching = 0
  for (const text of texts) {
    const { stmts } = (await parse(text)) as { stmts: { stmt: Tree }[] }
    const all = stmts.flatMap(({ stmt }) => unboundTables(stmt, (table) => spread.has(table)))
    const touched = stmts.some(({ stmt }) =>
      JSON.stringify(stmt)
        .match(/"relname":"(\w+)"/g)
        ?.some((each) => spread.has(each.slice(11, -1))),
    )
    if (touched) touching++
    if (all.length > 0) missing.set(text, all)
  }
  console.log(
    `${texts.size} statements, ${touching} of them about rows of organisations: ${touching - missing.size} say whose`,
  )
  for (const [text, tables] of missing) console.log(`\n${[...new Set(tables)].join(', ')}:\n${text}`)
  if (missing.size > 0) process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true })
}
