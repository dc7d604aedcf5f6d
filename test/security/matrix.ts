import type { Operation } from '../../server/kernel/operation.ts'
import { routesOf } from '../../server/transports/routes.ts'
import type { Client, Reply, Wanted } from './client.ts'
import { requestOf } from './fuzz.ts'
import { nestedReferences, tableOf, takesId, takesList, withValueAt, type Path } from './references.ts'
import { idsOf, tokenFor, type World } from './world.ts'

export interface MatrixOptions {
  world: World
  operations: readonly Operation[]
  client: Client
  signal: AbortSignal
  repair(): Promise<unknown>
  found(line: string): void
}
export interface MatrixReport {
  operations: number
  references: number
  pairs: number
  /** Answers that tell another organisation's thing from one that does not exist. */
  told: number
  /** Things by their own address that are not answered 404. */
  notMissing: number
  slugs: number
  slugsTold: number
  canaries: number
  unanswered: number
}

/** Nobody's number. */
export const GHOST = 987_654_321
const NOWHERE = 'no-such-office'
/** What differs between two answers to the same question. */
const VOLATILE = /"(?:request_id|generated_at|as_of|at|now)":\s*"[^"]*"/g

type Input = Record<string, unknown>

/** Whatever stands in an answer, or is said in its headers, except which request it was. */
export function likeness({ status, headers, body }: Reply, ...ids: readonly (number | string)[]): string {
  let text = body.replaceAll(VOLATILE, '')
  for (const id of ids) text = text.replaceAll(String(id), '#')
  const told = [
    'content-type',
    'location',
    'www-authenticate',
    'retry-after',
    'cache-control',
    'allow',
    'content-language',
  ]
  return JSON.stringify([status, ...told.map((name) => headers[name] ?? null), text])
}

/** Every operation, by every role that may run it, with another organisation's numbers and with nobody's: the same answer. */
export async function matrix(options: MatrixOptions): Promise<MatrixReport> {
  const { world, client, signal, found } = options
  const report: MatrixReport = {
    operations: 0,
    references: 0,
    pairs: 0,
    told: 0,
    notMissing: 0,
    slugs: 0,
    slugsTold: 0,
    canaries: 0,
    unanswered: 0,
  }
  const tables = world.numbered
  const foreign = await idsOf(world, world.other)
  const send = async (op: Operation, wanted: Wanted): Promise<Reply | undefined> => {
    const reply = await client.send(wanted).catch(() => undefined)
    if (!reply) report.unanswered++
    if (reply?.body.includes(world.other.canary)) {
      report.canaries++
      found(`canary of another organisation: ${op.id} ${wanted.method} ${wanted.path}`)
    }
    return reply
  }

  for (const op of options.operations) {
    if (signal.aborted) break
    await options.repair()
    report.operations++
    const own = await idsOf(world, world.own)
    const [route] = routesOf(op)
    const roles = op.roles.filter((role) => role !== 'system' && role !== 'operator')
    const paths = referencesOf(op, tables)
    report.references += paths.length
    const base = ownInput(op, own, tables)
    for (const role of roles) {
      const token = role === 'anonymous' || role === 'visitor' ? undefined : tokenFor(world.own, role)
      const request = (input: Input, slug = world.own.slug) =>
        requestOf(route!, input, token, slug, world.own.visits[0]!)
      for (const { path, table, isList } of paths) {
        const there = foreign.get(table) ?? []
        for (const id of new Set([there[0], there.at(-1)])) {
          if (id === undefined) continue
          const [ghost, hit] = await Promise.all(
            [GHOST, id].map((each) => send(op, request(withValueAt(base, path, isList ? [each] : each)))),
          )
          if (!ghost || !hit) continue
          report.pairs++
          // What was made has a number of its own, and whoever made it knows what they asked for.
          const isMade = op.kind === 'mutation' && ghost.status < 300 && hit.status === ghost.status
          if (!isMade && likeness(ghost, GHOST, id) !== likeness(hit, GHOST, id)) {
            report.told++
            found(`told apart: ${op.id}.${path.join('.')} of ${table} as ${role}: ${show(ghost)} and ${show(hit)}`)
          }
          if (
            path.length === 1 &&
            path[0] === 'id' &&
            op.http.base !== 'root' &&
            hit.status !== 404 &&
            hit.status !== 403 &&
            hit.status !== 400
          ) {
            report.notMissing++
            found(`not 404: ${op.id} as ${role}: ${show(hit)}`)
          }
        }
      }
      if (route!.entrance !== 'tenant' || token === undefined) continue
      const names = [NOWHERE, world.other.slug]
      const [ghost, hit] = await Promise.all(names.map((slug) => send(op, request(base, slug))))
      report.slugs++
      if (ghost && hit && likeness(ghost, ...names) === likeness(hit, ...names) && hit.status === 404) continue
      report.slugsTold++
      found(`told apart: the organisation of ${op.id} as ${role}: ${show(ghost)} and ${show(hit)}`)
    }
  }
  return report
}

const show = (reply: Reply | undefined) => `${reply?.status} ${reply?.body.slice(0, 160)}`

interface Reference {
  path: Path
  table: string
  isList: boolean
}
/** Every place of an input that names a row. */
function referencesOf(op: Operation, tables: ReadonlySet<string>): Reference[] {
  const properties = op.input.properties as Record<string, unknown>
  const flat = Object.entries(properties)
    .filter(([, schema]) => takesId(schema))
    .map(([name, schema]): [Path, unknown] => [[name], schema])
  return [...flat, ...nestedReferences(op.input)].flatMap(([path, schema]) => {
    const table = tableOf(op, String(path.findLast((step) => typeof step === 'string')), tables)
    return table ? [{ path, table, isList: takesList(schema) }] : []
  })
}

/** The example with rows of one's own, so that nothing but the reference in question is wrong. */
function ownInput(op: Operation, ids: ReadonlyMap<string, number[]>, tables: ReadonlySet<string>): Input {
  const input: Input = { ...(op.example.input as Input) }
  for (const [name, schema] of Object.entries(op.input.properties as Record<string, unknown>)) {
    if (input[name] === undefined || !takesId(schema)) continue
    const id = ids.get(tableOf(op, name, tables) ?? '')?.[0]
    if (id !== undefined) input[name] = takesList(schema) ? [id] : id
  }
  return input
}
