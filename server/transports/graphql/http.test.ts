import { expect, test } from 'vitest'
import { startApp } from '../../test/app.ts'

const { app, aTenant, as } = await startApp()
const t = await aTenant({ slug: 'bank', queues: 2, agents: 2, sites: 2 })
const other = await aTenant({ slug: 'other', queues: 1 })

interface Answer {
  data?: any
  errors?: { message: string; path?: unknown[]; extensions: any }[]
  extensions?: any
}
type Options = {
  as?: Record<string, string>
  variables?: object
  headers?: Record<string, string>
  operationName?: string
}
async function ask(query: string, { as: who = as(t.admin), variables, headers, operationName }: Options = {}) {
  const answer = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { ...who, 'accept-language': 'en', ...headers },
    payload: { query, variables, operationName },
  })
  return { status: answer.statusCode, headers: answer.headers, ...answer.json<Answer>() }
}
const take = (queueId: number, more = '') =>
  `mutation { takeTicket(input: { queue_id: ${queueId}, channel: kiosk ${more} }) { id number status public_token } }`

test('a visit from taking to the end, in English states', async () => {
  const taken = await ask(take(t.queues[0]!.id))
  expect(taken.errors).toBeUndefined()
  expect(taken.data.takeTicket).toMatchObject({ number: 'A001', status: 'waiting' })
  const desk = { as: as(t.agentActors[0]!) }
  const called = await ask(
    'mutation Call($agent: ID!) { callNextTicket(input: { id: $agent }) { ticket { id status agent { name } } } }',
    { ...desk, variables: { agent: t.agents[0]!.id } },
  )
  expect(called.errors).toBeUndefined()
  expect(called.data.callNextTicket.ticket).toMatchObject({ id: taken.data.takeTicket.id, status: 'called' })
  const { id } = called.data.callNextTicket.ticket
  for (const [verb, status] of [
    ['startTicket', 'serving'],
    ['completeTicket', 'completed'],
  ] as const) {
    const { data, errors } = await ask(`mutation { ${verb}(input: { id: ${id} }) { status } }`, desk)
    expect(errors).toBeUndefined()
    expect(data[verb].status).toBe(status)
  }
  const again = await ask(`mutation { startTicket(input: { id: ${id} }) { status } }`, desk)
  expect(again.status).toBe(200)
  expect(again.data).toBeNull()
  expect(again.errors![0]!.extensions).toMatchObject({ code: 'illegal_transition', status: 409 })
  const history = await ask(`{ ticketEvents(id: ${id}) { type } }`)
  expect(history.data.ticketEvents.map((event: { type: string }) => event.type)).toEqual([
    'ticket.created',
    'ticket.called',
    'ticket.started',
    'ticket.completed',
  ])
})

test('a list is a connection both ways', async () => {
  for (let n = 0; n < 7; n++) await ask(take(t.queues[1]!.id))
  const page = (rest: string) =>
    ask(`{ tickets(queue: ${t.queues[1]!.id}, status: [waiting], ordering: created_at, ${rest}) {
      edges { cursor node { number } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`)
  const numbers = (answer: Answer) => answer.data.tickets.edges.map((edge: any) => edge.node.number)
  const first = await page('first: 3')
  expect(first.errors).toBeUndefined()
  expect(numbers(first)).toEqual(['B001', 'B002', 'B003'])
  expect(first.data.tickets.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
  const second = await page(`first: 3, after: "${first.data.tickets.pageInfo.endCursor}"`)
  expect(numbers(second)).toEqual(['B004', 'B005', 'B006'])
  const middle = await page(`first: 2, after: "${first.data.tickets.edges[0].cursor}"`)
  expect(numbers(middle)).toEqual(['B002', 'B003'])
  const back = await page(`last: 2, before: "${second.data.tickets.pageInfo.startCursor}"`)
  expect(numbers(back)).toEqual(['B002', 'B003'])
  expect(back.data.tickets.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  const bad = await page('after: "nonsense"')
  expect(bad.errors![0]!.extensions).toMatchObject({ code: 'invalid_input', errors: [{ code: 'cursor' }] })
  const many = await page('first: 201')
  expect(many.errors![0]!.extensions.errors).toEqual([expect.objectContaining({ path: '/first', code: 'range' })])
})

test('a change has the validation, the key and the language of every other transport', async () => {
  const invalid = await ask(take(t.queues[0]!.id, ', note: "a\\u0000b"'), { headers: { 'accept-language': 'fr' } })
  expect(invalid.errors![0]).toMatchObject({
    path: ['takeTicket'],
    extensions: { code: 'invalid_input', status: 400, errors: [{ path: '/note', code: 'pattern' }] },
  })
  expect(invalid.errors![0]!.extensions.title).toMatch(/[éèà]|valide/)
  const key = 'idempotent-key-number-one'
  const doc = `mutation { a: takeTicket(input: { queue_id: ${t.queues[0]!.id}, channel: kiosk }, idempotency_key: "${key}") { id } }`
  const [one, two] = [await ask(doc), await ask(doc)]
  expect(two.data).toEqual(one.data)
  expect(two.extensions.replayed).toEqual(['tickets.take'])
  const header = { headers: { 'idempotency-key': 'idempotent-key-number-two' } }
  const [three, four] = [await ask(take(t.queues[0]!.id), header), await ask(take(t.queues[0]!.id), header)]
  expect(four.data).toEqual(three.data)
  const both = await ask(
    `mutation { a: startTicket(input: {id: 1}) { id } b: startTicket(input: {id: 2}) { id } }`,
    header,
  )
  expect([both.status, both.errors![0]!.extensions.code]).toEqual([400, 'idempotency_key_invalid'])
})

test('changes of one document run one after the other', async () => {
  const sites = await ask(`mutation {
    a: createSite(input: { name: "First" }) { id } b: createSite(input: { name: "Second" }) { id }
    c: createSite(input: { name: "Third" }) { id } }`)
  expect(sites.errors).toBeUndefined()
  const ids = ['a', 'b', 'c'].map((name) => Number(sites.data[name].id))
  expect(ids).toEqual(ids.toSorted((x, y) => x - y))
})

test('another tenant is not there, a bad token is refused, a stranger is nobody', async () => {
  const foreign = await ask(`{ queue(id: ${other.queues[0]!.id}) { name } }`)
  const missing = await ask('{ queue(id: 987654321) { name } }')
  const bare = (answer: Answer) => answer.errors!.map(({ message, extensions: { code } }) => [message, code])
  expect(bare(foreign)).toEqual(bare(missing))
  expect(bare(foreign)[0]![1]).toBe('not_found')
  const named = await ask('{ queues { nodes { id } } }', { headers: { 'x-tenant': 'other' } })
  expect(named.errors![0]!.extensions.code).toBe('not_found')
  const bad = await ask('{ queues { nodes { id } } }', { as: { authorization: 'Bearer nonsense' } })
  expect([bad.status, bad.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  const nobody = await ask('{ queues { nodes { id } } }', { as: {}, headers: { 'x-tenant': 'bank' } })
  expect(nobody.errors![0]!.extensions.code).toBe('unauthorized')
  const visitor = await ask(
    `mutation { takeTicket(input: { queue_id: ${t.queues[0]!.id}, channel: qr }) { public_token } }`,
    { as: {}, headers: { 'x-tenant': 'bank' } },
  )
  const token = visitor.data.takeTicket.public_token
  const mine = await ask(`{ myTicket(token: "${token}") { queue_name ticket { status position } } }`, { as: {} })
  expect(mine.data.myTicket.ticket.status).toBe('waiting')
  const left = await ask(`mutation { cancelMyTicket(token: "${token}") { status } }`, { as: {} })
  expect(left.data.cancelMyTicket.status).toBe('cancelled')
})

test('only documents sent as JSON by POST reach an operation', async () => {
  const url = '/graphql?query=mutation{closeDay(input:{}){count}}'
  expect((await app.inject({ method: 'GET', url, headers: as(t.admin) })).statusCode).not.toBe(200)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const form = await app.inject({
      method: 'POST',
      url,
      headers: { ...as(t.admin), 'content-type': type },
      payload: 'x',
    })
    expect(form.statusCode).toBe(415)
  }
  const batch = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: as(t.admin),
    payload: [{ query: '{ __typename }' }],
  })
  expect([batch.statusCode, batch.json<Answer>().errors![0]!.extensions.code]).toEqual([400, 'graphql_batch'])
  for (const payload of [{}, { query: 1 }, { query: '{ __typename }', variables: [] }])
    expect((await app.inject({ method: 'POST', url: '/graphql', headers: as(t.admin), payload })).statusCode).toBe(400)
  const codes = async (query: string, operationName?: string) =>
    (await ask(query, operationName ? { operationName } : {})).errors!.map(({ extensions }) => extensions.code)
  expect(await codes('{ queues {')).toEqual(['graphql_syntax'])
  expect(await codes('{ nonsense }')).toEqual(['graphql_invalid'])
  expect(await codes('query A { __typename } query B { __typename }')).toEqual(['graphql_operation_unknown'])
  expect(await codes('subscription { queue(queue_id: 1) { type } }')).toEqual(['graphql_subscription_over_http'])
})
