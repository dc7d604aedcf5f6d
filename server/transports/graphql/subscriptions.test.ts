import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { registry } from '../../kernel/metrics.ts'
import { quickHash } from '../../test/password.ts'
import { startApp } from '../../test/app.ts'

// No GraphQL client: the protocol's messages as docs/graphql.md and graphql-transport-ws say them.
const { app, owner, aTenant, as, tokenOf, listen } = await startApp()
const t = await aTenant({ slug: 'bank', queues: 2, agents: 2 })
const other = await aTenant({ slug: 'other', queues: 1 })
const base = await listen()
const url = `${base.replace('http', 'ws')}/graphql`
const queue = t.queues[0]!.id
const agent = t.agents[0]!.id
const site = t.sites[0]!.id
await owner('update queues set number_last = 1000000')
const [display] = await owner<{ id: number }>(
  `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
  [t.tenant.id, site],
)

interface Frame {
  type: string
  epoch: string
  offset: number
  after: number | null
  reason: string | null
  frame: Record<string, unknown>
}
interface Message {
  type: string
  id?: string
  payload?: any
}
const FIELDS = '{ type epoch offset after reason frame }'
const QUEUE = `subscription ($epoch: String, $since: Long) { queue(queue_id: ${queue}, epoch: $epoch, since: $since) ${FIELDS} }`

class Client {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #ids = 0

  constructor(init: object | null, protocol = 'graphql-transport-ws') {
    this.socket = new WebSocket(url, protocol)
    this.socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Message))
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
    if (init) this.socket.on('open', () => this.send({ type: 'connection_init', payload: init }))
  }
  send(message: object): void {
    this.socket.send(JSON.stringify(message))
  }
  /** The first message that fits, once it is there; fails when the socket closes before. */
  async find(fits: (message: Message) => boolean): Promise<Message> {
    await expect
      .poll(() => this.messages.some(fits) || this.socket.readyState === WebSocket.CLOSED, {
        interval: 5,
      })
      .toBe(true)
    const found = this.messages.find(fits)
    if (!found) throw new Error(`closed: ${JSON.stringify(await this.closed)}`)
    return found
  }
  async start(query: string, variables: object = {}): Promise<string> {
    await this.find(({ type }) => type === 'connection_ack')
    const id = `s${++this.#ids}`
    this.send({ type: 'subscribe', id, payload: { query, variables } })
    return id
  }
  /** The answer of a query or mutation. */
  async run(query: string, variables?: object): Promise<any> {
    const id = await this.start(query, variables)
    return (await this.find((message) => message.id === id)).payload
  }
  frames(id: string): Frame[] {
    return this.messages
      .filter((message) => message.id === id && message.type === 'next' && message.payload.data)
      .map(({ payload }) => Object.values(payload.data as Record<string, Frame>)[0]!)
  }
  async until(id: string, count: number): Promise<Frame[]> {
    await expect
      .poll(() => this.frames(id).length >= count || this.socket.readyState === WebSocket.CLOSED, {
        interval: 5,
      })
      .toBe(true)
    if (this.frames(id).length < count) throw new Error(JSON.stringify([this.messages.at(-1), this.socket.readyState]))
    return this.frames(id)
  }
  async leave(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}
const staff = () => new Client({ authorization: `Bearer ${tokenOf(t.admin)}` })
async function take(more: object = {}): Promise<{ id: number; public_token: string; number: string }> {
  const payload = { queue_id: queue, channel: 'kiosk', ...more }
  const answer = await app.inject({ method: 'POST', url: '/api/v1/tickets/', headers: as(t.admin), payload })
  expect(answer.statusCode, answer.body).toBe(201)
  return answer.json()
}
const post = (path: string, payload: object = {}) =>
  app.inject({ method: 'POST', url: `/api/v1/tenants/bank${path}`, headers: as(t.admin), payload })

test('display, desk, site and own ticket are followed: a snapshot, then each change in order', async () => {
  const mine = await take({ customer: undefined })
  const client = staff()
  const followed = {
    display: await client.start(`subscription { display(display_id: ${display!.id}) ${FIELDS} }`),
    agent: await client.start(`subscription { agent(agent_id: ${agent}) ${FIELDS} }`),
    site: await client.start(`subscription { site(site_id: ${site}) ${FIELDS} }`),
  }
  // A visitor has no credential but the ticket's token.
  const visitor = new Client({})
  const own = await visitor.start(`subscription { ticket(token: "${mine.public_token}") ${FIELDS} }`)
  for (const id of Object.values(followed)) expect((await client.until(id, 1))[0]!.type).toBe('snapshot')
  expect((await visitor.until(own, 1))[0]).toMatchObject({ type: 'snapshot', frame: { ticket: { id: mine.id } } })
  const called = await post(`/agents/${agent}/call-next/`)
  expect(called.json<{ ticket: { id: number } }>().ticket.id).toBe(mine.id)
  for (const [name, id] of Object.entries(followed)) {
    const frames = await client.until(id, 2)
    const of = frames.find(({ type }) => type === 'ticket.called')
    expect(of, name).toBeDefined()
    for (const [i, frame] of frames.entries()) if (i > 0) expect(frame.after).toBe(frames[i - 1]!.offset)
  }
  await visitor.until(own, 2)
  expect(visitor.frames(own).at(-1)).toMatchObject({ frame: { ticket: { id: mine.id, status: 'appelé' } } })
  await post(`/tickets/${mine.id}/no-show/`)
  await Promise.all([client.leave(), visitor.leave()])
})

test('who may not follow is refused by name, and nobody sees another organisation', async () => {
  const code = async (client: Client, document: string) => {
    const id = await client.start(document)
    const { type, payload } = await client.find((message) => message.id === id)
    expect(type).not.toBe('complete')
    const errors = type === 'error' ? payload : payload.errors
    return errors[0].extensions.code as string
  }
  const foreign = new Client({ authorization: `Bearer ${tokenOf(other.admin)}` })
  const screen = new Client({ authorization: `Bearer ${tokenOf(t.display)}` })
  const stranger = new Client({ tenant: 'bank' })
  const follow = (feed: string, argument: string, id: number) => `subscription { ${feed}(${argument}: ${id}) { type } }`
  const feeds = [
    follow('queue', 'queue_id', queue),
    follow('display', 'display_id', display!.id),
    follow('agent', 'agent_id', agent),
    follow('site', 'site_id', site),
  ]
  for (const document of feeds) {
    expect(await code(foreign, document)).toBe('not_found')
    expect(['forbidden', 'unauthorized']).toContain(await code(stranger, document))
  }
  expect(await code(screen, feeds[0]!)).toBe('forbidden')
  expect(await code(stranger, 'subscription { ticket(token: "nonsense") { type } }')).toBe('not_found')
  // The control: who may.
  const own = await screen.start(feeds[1]!)
  expect((await screen.until(own, 1))[0]!.type).toBe('snapshot')
  await Promise.all([foreign, screen, stranger].map((client) => client.leave()))
})

test('a one-time ticket opens one socket', async () => {
  const made = await app.inject({ method: 'POST', url: '/api/v1/auth/ws-ticket/', headers: as(t.admin), payload: {} })
  const { ticket } = made.json<{ ticket: string }>()
  const first = new Client({ ticket })
  const id = await first.start(QUEUE)
  expect((await first.until(id, 1))[0]!.type).toBe('snapshot')
  expect((await new Client({ ticket }).closed).code).toBe(4401)
  expect((await new Client({ ticket: 'nonsense' }).closed).code).toBe(4401)
  await first.leave()
})

test('signing out closes the session’s sockets, with and without a subscription, and no other', async () => {
  const password = 'correct horse battery'
  await owner('update users set password_hash = $2 where id = $1', [t.admin.userId, quickHash(password)])
  const [who] = await owner<{ email: string }>('select email from users where id = $1', [t.admin.userId])
  const signedIn = await app.inject({ method: 'POST', url: '/api/v1/auth/token/', payload: { ...who, password } })
  const { access } = signedIn.json<{ access: string }>()
  const authorization = `Bearer ${access}`
  const [following, idle, others] = [new Client({ authorization }), new Client({ authorization }), staff()]
  await following.until(await following.start(QUEUE), 1)
  await others.until(await others.start(QUEUE), 1)
  expect((await idle.run('{ __typename }')).data).toEqual({ __typename: 'Query' })
  await app.inject({ method: 'POST', url: '/api/v1/auth/logout/', headers: { authorization }, payload: {} })
  const ended = { code: 4401, reason: 'session_revoked' }
  expect(await Promise.all([following.closed, idle.closed])).toEqual([ended, ended])
  expect(others.socket.readyState).toBe(WebSocket.OPEN)
  await others.leave()
})

test('a socket ends within five seconds of its token', async () => {
  const authorization = `Bearer ${tokenOf(t.admin, 2)}`
  const [following, idle] = [new Client({ authorization }), new Client({ authorization })]
  await following.until(await following.start(QUEUE), 1)
  for (const { code, reason } of await Promise.all([following.closed, idle.closed]))
    expect([code, reason]).toEqual([4401, 'token_expired'])
})

test('ping is answered; no init, a second init and another protocol end the socket', async () => {
  const client = staff()
  await client.find(({ type }) => type === 'connection_ack')
  client.send({ type: 'ping', payload: { n: 1 } })
  expect((await client.find(({ type }) => type === 'pong')).type).toBe('pong')
  client.send({ type: 'connection_init' })
  expect((await client.closed).code).toBe(4429)
  const early = new Client(null)
  await once(early.socket, 'open')
  early.send({ type: 'subscribe', id: '1', payload: { query: '{ __typename }' } })
  expect((await early.closed).code).toBe(4401)
  const old = new Client({}, 'graphql-ws')
  expect((await old.closed).code).not.toBe(1000)
})

test('queries and changes use the same socket, with the same limits', async () => {
  const client = staff()
  const taken = await client.run(
    `mutation ($queue: ID!) { takeTicket(input: { queue_id: $queue, channel: kiosk }) { id number status } }`,
    { queue },
  )
  expect(taken.errors).toBeUndefined()
  const { id } = taken.data.takeTicket
  expect((await client.run(`{ ticket(id: ${id}) { status queue { id } } }`)).data.ticket).toEqual({
    status: 'waiting',
    queue: { id: String(queue) },
  })
  const code = async (document: string) => (await client.run(document))[0].extensions.code as string
  expect(await code('{ queues(first: 200) { nodes { tickets(first: 200) { nodes { id } } } } }')).toBe(
    'graphql_too_costly',
  )
  expect(await code('{ nonsense }')).toBe('graphql_invalid')
  expect(await code('{ queues {')).toBe('graphql_syntax')
  const missing = await client.run('{ ticket(id: 987654321) { id } }')
  expect(missing.errors[0].extensions.code).toBe('not_found')
  await client.leave()
})

test('with epoch and since nothing is missed; without them what happened meanwhile is', async () => {
  const first = staff()
  const id = await first.start(QUEUE)
  const [snapshot] = await first.until(id, 1)
  await take()
  const [, last] = await first.until(id, 2)
  await first.leave()
  const missed = [await take(), await take(), await take()].map((ticket) => ticket.id)
  const idsOf = (frames: Frame[]) => frames.map(({ frame }) => (frame['ticket'] as { id: number } | undefined)?.id)
  const back = staff()
  const frames = await back.until(await back.start(QUEUE, { epoch: snapshot!.epoch, since: last!.offset }), 3)
  expect(idsOf(frames)).toEqual(missed)
  expect(frames[0]!.after).toBe(last!.offset)
  // The control.
  const naive = await back.until(await back.start(QUEUE), 1)
  expect(naive[0]!.type).toBe('snapshot')
  for (const [position, reason] of [
    [{ epoch: 'old', since: last!.offset }, 'epoch'],
    [{ epoch: snapshot!.epoch, since: 99_999_999 }, 'ahead'],
    [{ since: 1 }, 'epoch'],
  ] as const) {
    const [resync, fresh] = await back.until(await back.start(QUEUE, position), 2)
    expect(resync).toMatchObject({ type: 'resync', reason })
    expect(fresh).toMatchObject({ type: 'snapshot', epoch: snapshot!.epoch })
  }
  await back.leave()
})

test('the fifty-first subscription of a socket is refused, the others go on', async () => {
  const client = staff()
  const ids: string[] = []
  for (let i = 0; i < 51; i++) ids.push(await client.start(QUEUE))
  const refusals = () => client.messages.filter(({ payload }) => payload?.errors)
  await expect.poll(() => refusals().length).toBe(1)
  expect(refusals()[0]!.payload.errors[0].extensions.code).toBe('too_many_connections')
  await expect.poll(() => ids.filter((id) => client.frames(id).length > 0).length).toBe(50)
  // One that ended makes room.
  client.send({ type: 'complete', id: ids.find((id) => client.frames(id).length > 0) })
  await expect
    .poll(async () => {
      const id = await client.start(QUEUE)
      await client.find((message) => message.id === id)
      return client.frames(id).length
    })
    .toBeGreaterThan(0)
  await client.leave()
})

test('a consumer that never reads is cut, however many subscriptions it has, and costs the others nothing', async () => {
  const { port } = new URL(base)
  const stalled = connect(Number(port), '127.0.0.1')
  let isCut = false
  stalled.on('error', () => (isCut = true)).on('close', () => (isCut = true))
  const head = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  stalled.write(
    [
      `GET /graphql HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      ...head,
      'Sec-WebSocket-Protocol: graphql-transport-ws',
      '\r\n',
    ].join('\r\n'),
  )
  await once(stalled, 'readable')
  stalled.write(masked({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf(t.admin)}` } }))
  await expect.poll(() => String(stalled.read() ?? '')).toContain('connection_ack')
  for (let i = 0; i < 20; i++) stalled.write(masked({ type: 'subscribe', id: `s${i}`, payload: { query: QUEUE } }))
  const subscribers = async () => {
    const text = await registry.getSingleMetricAsString('websocket_connections')
    return Number(/feed="queue",transport="graphql"\} (\d+)/.exec(text)?.[1] ?? 0)
  }
  await expect.poll(subscribers).toBe(20)
  const healthy = staff()
  const id = await healthy.start(QUEUE)
  await healthy.until(id, 1)
  stalled.pause()
  const labels = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(50, 'x'))
  let sent = 0
  while ((await subscribers()) > 1 && sent < 5000) {
    await Promise.all(Array.from({ length: 20 }, () => take({ labels, needs: labels })))
    sent += 20
  }
  expect(sent).toBeLessThan(5000)
  const created = () => healthy.frames(id).filter(({ type }) => type === 'ticket.created')
  await expect.poll(() => created().length).toBe(sent)
  const frames = healthy.frames(id)
  for (const [i, frame] of frames.entries()) if (i > 0) expect(frame.after).toBe(frames[i - 1]!.offset)
  stalled.resume()
  await expect.poll(() => isCut).toBe(true)
  await healthy.leave()
})

/** A text frame as a client sends it (RFC 6455 §5.2), masked with zeros. */
function masked(message: object): Buffer {
  const payload = Buffer.from(JSON.stringify(message))
  const head =
    payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0x80 | 126, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload])
}

test('a stop tells all sockets to come back', async () => {
  const clients = [staff(), staff()]
  for (const client of clients) await client.until(await client.start(QUEUE), 1)
  const stopping = app.close()
  expect((await Promise.all(clients.map((client) => client.closed))).map(({ code }) => code)).toEqual([1012, 1012])
  await stopping
})
