import { ROLES, type Role } from '../../server/kernel/access.ts'
import type { Operation } from '../../server/kernel/operation.ts'
import { routesOf, type Route } from '../../server/transports/routes.ts'
import { randomizer } from '../random.ts'
import { mutated, ODD_BODIES, ODD_HEADERS, ODD_QUERIES } from './cases.ts'
import type { Client, Reply, Wanted } from './client.ts'
import { Oracle, type Fault } from './oracle.ts'
import { tableOf, takesId, takesList } from './references.ts'
import { hashesOf, idsOf, tokenFor, type World } from './world.ts'

export interface FuzzOptions {
  world: World
  operations: readonly Operation[]
  client: Client
  /** Inputs tried on each operation by those who may run it. */
  inputs: number
  seed: number
  signal: AbortSignal
  /** Puts back what the fuzz may have taken from whoever fuzzes, such as an account that it closed. */
  repair(): Promise<unknown>
  /** Told of the first of each kind of fault of each operation. */
  found(line: string): void
  progress?(line: string): void
}
export interface FuzzReport {
  operations: number
  requests: number
  /** Operations that did their work at least once, so that more than their doors was tried. */
  worked: number
  faults: Record<Fault, number>
  unanswered: number
  slowestMs: number
  /** Tables of the other organisation that are not as they were. */
  changed: string[]
}

const AT_ONCE = 6
/** Late, because little is left afterwards; and last, because afterwards nothing is answered any more. */
const ENDS = /delete|revoke|remove|erase|logout|discard|closeDay|undo$|retain|disable/i
const CLOSES = /setQuotas|^switches\.set|suspend/i
const turnOf = ({ id }: Operation): number => (CLOSES.test(id) ? 2 : ENDS.test(id) ? 1 : 0)

type Input = Record<string, unknown>

/** Every operation, by every role, with inputs that fit, just fit and do not fit, judged by the server's own document. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { world, client, signal, progress } = options
  const oracle = new Oracle(options.operations, world.other.canary)
  const random = randomizer(options.seed)
  const report: FuzzReport = {
    operations: 0,
    requests: 0,
    worked: 0,
    faults: {
      'answer 5xx': 0,
      'status that is not described': 0,
      'answer unlike its schema': 0,
      'error that is no problem document': 0,
      'inside told outside': 0,
      'canary of another organisation': 0,
    },
    unanswered: 0,
    slowestMs: 0,
    changed: [],
  }
  const told = new Set<string>()
  const before = await hashesOf(world, world.other)
  const inOrder = [...options.operations].sort((a, b) => turnOf(a) - turnOf(b))

  async function attempt(op: Operation, route: Route, role: Role, wanted: Wanted): Promise<number> {
    report.requests++
    let reply: Reply
    try {
      reply = await client.send(wanted)
    } catch (error) {
      report.unanswered++
      options.found(`${op.id} as ${role}: ${String(error)} ${describe(wanted)}`)
      return 0
    }
    report.slowestMs = Math.max(report.slowestMs, Math.round(reply.milliseconds))
    const isPrivate = role !== 'operator' && role !== 'system'
    const fault = oracle.judge(route.method, route.path, reply, isPrivate)
    if (fault) {
      const [kind, detail] = fault
      report.faults[kind]++
      const key = `${op.id} ${kind} ${detail.slice(0, 40)}`
      if (!told.has(key)) options.found(`${kind}: ${op.id} as ${role}: ${detail}\n        ${describe(wanted)}`)
      told.add(key)
    }
    return reply.status
  }

  for (const [n, op] of inOrder.entries()) {
    if (signal.aborted) break
    if (n % 40 === 0) progress?.(`${n} of ${inOrder.length} operations, ${report.requests} requests`)
    await options.repair()
    const ids = await idsOf(world, world.own)
    const routes = routesOf(op)
    const tokens = new Map<Role, string | undefined>(
      ROLES.map((role) => [role, role === 'anonymous' || role === 'visitor' ? undefined : tokenFor(world.own, role)]),
    )
    const allowed = op.roles.filter((role) => role !== 'system')
    const wants: (() => Promise<number>)[] = []
    const add = (role: Role, change: Partial<Wanted>, input: Input, route = routes[0]!) => {
      const wanted = requestOf(
        route,
        input,
        tokens.get(role),
        world.own.slug,
        world.own.visits[n % world.own.visits.length]!,
      )
      const headers = { ...wanted.headers, ...change.headers }
      wants.push(() =>
        attempt(op, route, role, { ...wanted, ...change, path: wanted.path + (change.path ?? ''), headers }),
      )
    }
    const schema = op.input as unknown as Input
    const base = () => fitting(op, ids, world, random)
    // Everybody once, at every address, with an input that fits.
    for (const role of ROLES) for (const route of routes) add(role, {}, base(), route)
    for (let i = 0; i < options.inputs && allowed.length > 0; i++)
      add(
        allowed[i % allowed.length]!,
        {},
        mutated(base(), schema, random),
        routes[i % 7 === 0 ? i % routes.length : 0],
      )
    const someone = allowed[0] ?? 'admin'
    if (op.http.method === 'GET') for (const query of ODD_QUERIES) add(someone, { path: query }, {})
    else
      for (const { type, body, encoding } of ODD_BODIES) {
        const headers = { 'content-type': type ?? '', ...(encoding && { 'content-encoding': encoding }) }
        if (type === undefined) delete (headers as Input)['content-type']
        add(someone, { body, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } }, base())
      }
    for (const headers of ODD_HEADERS) add(someone, { headers }, base())
    const statuses: number[] = []
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let want = wants.shift(); want && !signal.aborted; want = wants.shift()) statuses.push(await want())
      }),
    )
    report.operations++
    if (statuses.some((status) => status >= 200 && status < 300)) report.worked++
    else progress?.(`${op.id} never worked: ${[...new Set(statuses)].join(' ')}`)
  }
  const after = await hashesOf(world, world.other)
  report.changed = [...before].filter(([table, hash]) => after.get(table) !== hash).map(([table]) => table)
  return report
}

/** The operation's example with numbers of things that are there. */
function fitting(op: Operation, ids: ReadonlyMap<string, number[]>, { numbered }: World, random: () => number): Input {
  const input: Input = { ...(op.example.input as Input) }
  for (const [name, schema] of Object.entries(op.input.properties as Record<string, unknown>)) {
    if (!takesId(schema)) continue
    const table = tableOf(op, name, new Set([...numbered, 'tenants']))
    const there = (table && ids.get(table)) || []
    if (there.length === 0 || (input[name] === undefined && random() < 0.7)) continue
    const id = there[Math.floor(random() * there.length)]!
    input[name] = takesList(schema) ? [id] : id
  }
  return input
}

/** The request line, headers and body that carry an input to an address. */
export function requestOf(route: Route, input: Input, token: string | undefined, slug: string, visit: string): Wanted {
  const rest = { ...input }
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'tenant') return slug
    if (name === 'token') return visit
    const value = rest[name] ?? 1
    delete rest[name]
    return escaped(value).slice(0, 600)
  })
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE'
  const query = hasBody
    ? ''
    : Object.entries(rest)
        .flatMap(([name, value]) =>
          [value]
            .flat()
            .slice(0, 50)
            .map((each) => `${escaped(name)}=${escaped(each)}`),
        )
        .join('&')
        .slice(0, 8000)
        .replace(/%.?$/, '')
  return {
    method: route.method,
    path: query ? `${path}?${query}` : path,
    headers: {
      'accept-language': 'en',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(hasBody && { 'content-type': 'application/json' }),
      ...(route.entrance === 'own_tenant' && { 'x-tenant': slug }),
    },
    body: hasBody ? JSON.stringify(rest) : undefined,
  }
}
function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
  return encodeURIComponent(text.toWellFormed())
}

const describe = ({ method, path, body = '' }: Wanted) =>
  `${method} ${path.slice(0, 300)} ${body.toString().slice(0, 400)}`
