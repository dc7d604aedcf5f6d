import { getIntrospectionQuery } from 'graphql'
import { expect, test } from 'vitest'
import { registry } from '../../kernel/metrics.ts'
import { startApp, type TestApp } from '../../test/app.ts'

const SECRET_KEY = 'a key that the servers of this file share: one process has one'
const development = await startApp({ SECRET_KEY })
const HOST = 'app.example.org'
const PRODUCTION = { NODE_ENV: 'production', ALLOWED_HOSTS: HOST, SECURE_SSL_REDIRECT: 'false', SECRET_KEY }
const production = await startApp(PRODUCTION)
const told = await startApp({ ...PRODUCTION, GRAPHQL_INTROSPECTION: 'true' })
const t = await development.aTenant({ slug: 'bank', queues: 2 })

interface Problem {
  message: string
  extensions: { code: string; status: number; title: string; cost?: number; limit?: number }
}
async function ask(query: string, server: TestApp = development, payload: object = {}) {
  const headers = server === development ? server.as(t.admin) : { host: HOST }
  const answer = await server.app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { ...headers, 'accept-language': 'en' },
    payload: { query, ...payload },
  })
  const body = answer.json<{ data?: any; errors?: Problem[]; extensions?: { cost: { requested: number } } }>()
  return { status: answer.statusCode, headers: answer.headers, ...body }
}
const refusal = async (...args: Parameters<typeof ask>) => {
  const { status, data, errors } = await ask(...args)
  return { status, data, code: errors?.[0]?.extensions.code }
}
const repeat = (count: number, text: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')

/** Queues of sites of queues: `rounds` times three levels, and two. */
const nested = (rounds: number) =>
  `{ queues(first: 1) { nodes { ${'site { queues(first: 1) { nodes { '.repeat(rounds)} id ${'} } }'.repeat(rounds)} } } }`

test('twelve levels are answered, thirteen refused, through fragments as well', async () => {
  expect((await ask(nested(3))).errors).toBeUndefined()
  expect(await refusal(nested(3).replace(' id ', ' site { id } '))).toEqual({
    status: 422,
    data: undefined,
    code: 'graphql_too_deep',
  })
  const fragments = `query { queues(first: 1) { nodes { ...a } } }
    fragment a on Queue { site { queues(first: 1) { nodes { ...b } } } }
    fragment b on Queue { site { queues(first: 1) { nodes { ...c } } } }
    fragment c on Queue { site { queues(first: 1) { nodes { ...d } } } }
    fragment d on Queue { site { queues(first: 1) { nodes { id } } } }`
  expect((await refusal(fragments)).code).toBe('graphql_too_deep')
  const circle = `{ queues { nodes { ...a } } } fragment a on Queue { site { queues { nodes { ...a } } } }`
  expect(await refusal(circle)).toMatchObject({ status: 400, code: 'graphql_invalid' })
})

test('thirty root fields are answered, one more is refused, however they are hidden', async () => {
  const fields = (count: number) => repeat(count, (i) => `f${i}: __typename`)
  expect((await ask(`{ ${fields(30)} }`)).errors).toBeUndefined()
  expect(await refusal(`{ ${fields(31)} }`)).toMatchObject({ status: 422, code: 'graphql_too_many_fields' })
  const hidden = `{ ...a ...on Query { ${repeat(10, (i) => `g${i}: __typename`)} } } fragment a on Query { ${fields(25)} }`
  expect((await refusal(hidden)).code).toBe('graphql_too_many_fields')
})

test('two thousand fields are answered, fragments cannot multiply beyond it', async () => {
  const fields = (count: number) => repeat(count, (i) => `f${i}: id`)
  // A document has at most 4 000 tokens, so many fields come from fragments that are spread again and again.
  const times = (count: number) => `query { queue(id: ${t.queues[0]!.id}) { ...a } }
    fragment a on Queue { ${repeat(count, (i) => `s${i}: site { ...b }`)} } fragment b on Site { ${fields(90)} }`
  expect((await ask(times(15))).errors).toBeUndefined()
  expect(await refusal(times(25))).toMatchObject({ status: 422, code: 'graphql_too_many_fields' })
  expect(await refusal(`{ queue(id: 1) { ${fields(1500)} } }`)).toMatchObject({ status: 400, code: 'graphql_syntax' })
  // Ten to the sixth fields from a page of text: refused before any is counted further.
  const bomb = `query { queue(id: 1) { ...f0 } } ${repeat(
    6,
    (n) => `fragment f${n} on Queue { ${repeat(10, () => `...f${n + 1}`)} }`,
  )} fragment f6 on Queue { id }`
  expect((await refusal(bomb)).code).toBe('graphql_too_many_fields')
})

test('a request costs what it may return, by literal or variable, and says so', async () => {
  const document = (first: string) => `{ queues(first: ${first}) { nodes { tickets(first: 100) { nodes { id } } } } }`
  const cheap = await ask(document('10'))
  expect(cheap.errors).toBeUndefined()
  expect(cheap.headers['x-graphql-cost']).toBe(String(cheap.extensions!.cost.requested))
  expect(cheap.extensions!.cost.requested).toBeGreaterThan(1000)
  const dear = await ask(document('200'))
  expect([dear.status, dear.errors![0]!.extensions]).toEqual([
    422,
    expect.objectContaining({ code: 'graphql_too_costly', limit: 10_000 }),
  ])
  expect(dear.errors![0]!.extensions.cost).toBeGreaterThan(10_000)
  expect(dear.errors![0]!.message).toContain(String(dear.errors![0]!.extensions.cost))
  const variable = `query ($n: Int) ${document('$n')}`
  expect((await refusal(variable, development, { variables: { n: 200 } })).code).toBe('graphql_too_costly')
  expect((await ask(variable, development, { variables: { n: 10 } })).errors).toBeUndefined()
  // A default is a value like any other.
  const usual = `query ($n: Int = 200) ${document('$n')}`
  expect((await refusal(usual)).code).toBe('graphql_too_costly')
  expect((await ask(usual, development, { variables: { n: 10 } })).errors).toBeUndefined()
  const changes = await ask(
    `mutation { a: createSite(input: { name: "A" }) { id } b: createSite(input: { name: "B" }) { id } }`,
  )
  expect(changes.extensions!.cost.requested).toBeGreaterThanOrEqual(20)
})

test('the schema is told in development, in production only where GRAPHQL_INTROSPECTION says so', async () => {
  const whole = getIntrospectionQuery()
  expect((await ask(whole)).data.__schema.queryType.name).toBe('Query')
  expect((await ask(whole, told)).data.__schema.queryType.name).toBe('Query')
  for (const query of [whole, '{ __schema { types { name } } }', '{ __type(name: "Ticket") { name } }'])
    expect(await refusal(query, production)).toMatchObject({ status: 400, data: undefined, code: 'graphql_invalid' })
  // `__typename` is what clients need and says nothing.
  expect((await ask('{ __typename }', production)).data).toEqual({ __typename: 'Query' })
  // A description of descriptions grows without end.
  const deep = `{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }`
  expect((await refusal(deep)).code).toBe('graphql_invalid')
})

test('in production no error says what a name might have been', async () => {
  const wrongs = [
    '{ queuess { nodes { id } } }',
    '{ tickets(statuss: [waiting]) { nodes { id } } }',
    '{ tickets(status: [waitin]) { nodes { id } } }',
  ]
  for (const query of wrongs) {
    const messages = async (server: TestApp) =>
      (await ask(query, server)).errors!.map(({ message }) => message).join(' ')
    expect(await messages(development)).toContain('Did you mean')
    for (const server of [production, told]) {
      expect(await messages(server)).not.toMatch(/did you mean|"queues"|"status"|"waiting"/i)
      expect((await ask(query, server)).errors!.length).toBeGreaterThan(0)
    }
  }
  const variable = 'query ($s: [TicketStatus!]) { tickets(status: $s) { nodes { id } } }'
  const { errors } = await ask(variable, production, { variables: { s: ['waitin'] } })
  expect(errors![0]!.message).not.toMatch(/did you mean/i)
})

test('nothing that a foreign page can send without asking reaches a change', async () => {
  const change = JSON.stringify({ query: 'mutation { createSite(input: { name: "Forged" }) { id } }' })
  const before = (await ask('{ sites { nodes { id } } }')).data.sites.nodes.length
  const send = (headers: Record<string, string>, payload: string) =>
    development.app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { ...development.as(t.admin), ...headers },
      payload,
    })
  // What a form or `no-cors` may say (Fetch standard, CORS-safelisted request-header).
  for (const type of [
    'text/plain',
    'text/plain; a=application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])
    expect((await send({ 'content-type': type }, change)).statusCode).toBe(415)
  expect((await ask('{ sites { nodes { id } } }')).data.sites.nodes.length).toBe(before)
  // The control: the same document as JSON.
  expect((await send({ 'content-type': 'application/json' }, change)).statusCode).toBe(200)
  expect((await ask('{ sites { nodes { id } } }')).data.sites.nodes.length).toBe(before + 1)
})

test('a document is measured as what it is', async () => {
  const count = async (operation: string) => {
    const text = await registry.getSingleMetricAsString('api_request_duration_seconds')
    const lines = text.matchAll(/_count\{operation="([\w.]+)",method="(\w+)",status="(\d+)"\} (\d+)/g)
    return [...lines].filter(([, name]) => name === operation).reduce((sum, [, , , , n]) => sum + Number(n), 0)
  }
  const before = [await count('graphql.query'), await count('graphql.mutation')]
  await ask('{ __typename }')
  await ask('{ queues { nodes { id } } }')
  await ask('mutation { createSite(input: { name: "Measured" }) { id } }')
  expect([await count('graphql.query'), await count('graphql.mutation')]).toEqual([before[0]! + 2, before[1]! + 1])
})
