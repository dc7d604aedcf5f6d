import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ROLE_SCOPES, type Actor, type Role } from '../../kernel/access.ts'
import type { Operation } from '../../kernel/operation.ts'
import { operations } from '../../modules/index.ts'
import { startApp } from '../../test/app.ts'
import { fieldName, whyAbsent } from './names.ts'

const { app, runtime, aTenant, as, owner } = await startApp()
const t = await aTenant({ slug: 'bank' })

/** Every execution, whoever asked for it: what REST would run, GraphQL runs. */
const executed: { id: string; input: unknown }[] = []
const execute = runtime.execute.bind(runtime)
runtime.execute = (op, request) => {
  executed.push({ id: op.id, input: request.input })
  return execute(op, request)
}

const schema = readFileSync(new URL('../../../docs/schema.graphql', import.meta.url), 'utf8')
const present = operations.filter((op) => whyAbsent(op) === undefined)

/** A value as a document spells it; names of enums are sent as variables are not. */
function document(op: Operation): { query: string; variables: Record<string, unknown> } {
  const field = fieldName(op)
  const body = schema.slice(schema.indexOf(`\ntype ${op.kind === 'query' ? 'Query' : 'Mutation'} {`))
  const declared = new RegExp(`\\n  ${field}(?:\\(([^)]*)\\))?: (\\S+)`).exec(body)!
  const args = new Map(
    [
      ...(declared[1] ?? '').matchAll(/^\s*(\w+): ([\w![\]]+)/gm),
      ...(declared[1] ?? '').matchAll(/(\w+): ([\w![\]]+)/g),
    ].map(([, name, type]) => [name!, type!] as const),
  )
  const input = { ...(op.example.input as Record<string, unknown>) }
  const given: Record<string, unknown> = op.kind === 'mutation' && args.has('input') ? { input } : input
  if (args.has('token')) given['token'] = 'nobody'
  // The spellings of REST that have names of their own here.
  if (op.id === 'tickets.list') Object.assign(given, { status: ['waiting'] })
  if (Array.isArray(input['scopes'])) input['scopes'] = input['scopes'].map((scope: string) => scope.replace(':', '_'))
  // The log has a cursor of its own, so that it is no connection.
  if ('limit' in given && op.id !== 'events.list') {
    given['first'] = given['limit']
    delete given['limit']
  }
  const names = Object.keys(given).filter((name) => args.has(name))
  const head = names.map((name) => `$${name}: ${args.get(name)}`).join(', ')
  const pass = names.map((name) => `${name}: $${name}`).join(', ')
  const type = declared[2]!.replace(/[![\]]/g, '')
  const isObject = new RegExp(`\\ntype ${type} `).test(schema)
  return {
    query: `${op.kind}${head && `(${head})`} { ${field}${pass && `(${pass})`} ${isObject ? '{ __typename }' : ''} }`,
    variables: Object.fromEntries(names.map((name) => [name, given[name]])),
  }
}

const actorOf = (role: Role): Actor => ({
  ...t.admin,
  role,
  principal: `${role}:1`,
  scopes: new Set(ROLE_SCOPES[role]),
})
const documents = new Map(present.map((op) => [op, document(op)]))
const ask = async (op: Operation, headers: Record<string, string>) => {
  const answer = await app.inject({ method: 'POST', url: '/graphql', headers, payload: documents.get(op)! })
  return answer.json<{ errors?: { message: string; extensions: { code: string } }[] }>()
}
const isVisitors = (op: Operation) => op.http.path.startsWith('/t/{token}/')

test('every operation has a field, or a reason to have none', () => {
  for (const op of operations) {
    const has = new RegExp(`\\n  ${fieldName(op)}[(:]`).test(schema)
    expect(has, op.id).toBe(whyAbsent(op) === undefined)
  }
  expect(new Set(present.map((op) => `${op.kind} ${fieldName(op)}`)).size).toBe(present.length)
  expect(present.length).toBeGreaterThan(80)
})

test('every field runs its operation through the one path, with the same input', async () => {
  const wrong: string[] = []
  for (const op of present) {
    if (isVisitors(op)) continue
    executed.length = 0
    const { errors } = await ask(op, as(actorOf('admin')))
    const codes = errors?.map(({ message, extensions }) => `${extensions.code} ${message}`).join()
    if (executed.length !== 1 || executed[0]!.id !== op.id)
      wrong.push(`${op.id}: ran ${executed.map(({ id }) => id).join()}; ${codes}`)
    else if (op.id !== 'tickets.list') {
      const plain = JSON.parse(JSON.stringify(executed[0]!.input)) as unknown
      if (JSON.stringify(plain) !== JSON.stringify(op.example.input)) wrong.push(`${op.id}: ${JSON.stringify(plain)}`)
    }
    // The bearer of a test has no session of its own.
    const isFault = codes?.includes('internal') && !op.id.startsWith('sessions.')
    if (isFault || codes?.includes('invalid_input')) wrong.push(`${op.id}: ${codes}`)
  }
  expect(wrong).toEqual([])
})

test('the matrix of roles over GraphQL: every refused cell is refused and writes nothing', async () => {
  const counts = () =>
    owner<{ n: number }>('select (select count(*) from events)::int + (select count(*) from audit_entries)::int as n')
  const before = await counts()
  const wrong: string[] = []
  let tried = 0
  const roles: Role[] = ['operator', 'admin', 'supervisor', 'agent', 'kiosk', 'display', 'api_key', 'anonymous']
  for (const op of present) {
    for (const role of roles.filter((each) => !op.roles.includes(each))) {
      tried++
      const { errors } = await ask(op, role === 'anonymous' ? { 'x-tenant': 'bank' } : as(actorOf(role)))
      const expected = isVisitors(op) ? 'not_found' : role === 'anonymous' ? 'unauthorized' : 'forbidden'
      if (errors?.[0]?.extensions.code !== expected) wrong.push(`${op.id} as ${role}: ${errors?.[0]?.extensions.code}`)
    }
  }
  expect(wrong).toEqual([])
  expect(tried).toBeGreaterThan(200)
  expect(await counts()).toEqual(before)
})
