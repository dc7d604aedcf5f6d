import { OTHER_TABLES } from './other-tables.ts'
import { PERSONAL_TABLES } from './personal-tables.ts'
import type { Registered } from './classes.ts'

export const REGISTRY: Readonly<Record<string, Registered>> = { ...PERSONAL_TABLES, ...OTHER_TABLES }

/** Columns of the database that the registry does not know, and entries that the database does not have: one line each. */
export function registryFaults(columns: readonly { table: string; column: string }[]): string[] {
  const there = new Set(columns.map(({ table, column }) => `${table}.${column}`))
  const known = new Map<string, number>()
  for (const [table, { personal = {}, none }] of Object.entries(REGISTRY))
    for (const column of [...Object.keys(personal), ...none.split(' ').filter(Boolean)])
      known.set(`${table}.${column}`, (known.get(`${table}.${column}`) ?? 0) + 1)
  return [
    ...[...there]
      .filter((each) => !known.has(each))
      .map((each) => `${each}: say in server/modules/privacy what it tells of a person`),
    ...[...known.keys()]
      .filter((each) => !there.has(each))
      .map((each) => `${each}: is in the registry and not in the database`),
    ...[...known].filter(([, count]) => count > 1).map(([each]) => `${each}: is in the registry twice`),
  ]
}

/** Tables and columns as db/schema.sql has them. */
export const columnsOf = (schema: string): { table: string; column: string }[] =>
  [...schema.matchAll(/^create table (\w+) \(\n([\s\S]*?)\n\)/gm)].flatMap(([, table, body]) =>
    [...body!.matchAll(/^ {2}"?(\w+)"? /gm)]
      .map(([, column]) => ({ table: table!, column: column! }))
      .filter(({ column }) => column !== 'constraint'),
  )
