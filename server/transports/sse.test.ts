import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { quickHash } from '../test/password.ts'
import { startApp } from '../test/app.ts'

const server = await startApp({ CORS_ALLOWED_ORIGINS: 'https://console.example' })
const { app, owner, aTenant, as, tokenOf } = server
const base = await server.listen()
const t = await aTenant({ slug: 'live', queues: 2, agents: 2 })
const other = await aTenant({ slug: 'other' })
const queue = t.queues[0]!
await owner('update queues set number_last = 1000000')

interface Message {
  id: string | undefined
  data: { type: string; epoch?: string; offset: number; after: number; reason?: string; code?: number; ticket?: any }
}
/** What a browser's EventSource makes of the bytes (HTML §9.2.6). */
class Stream {
  status = 0
  contentType: string | undefined
  body = ''
  isOver = false
  retry: number | undefined
  readonly messages: Message[] = []
  #request
  #rest = ''

  constructor(path: string, headers: Record<string, string> = {}) {
    this.#request = get(base + path, { headers }, (response: IncomingMessage) => {
      this.status = response.statusCode!
      this.contentType = response.headers['content-type']
      response.setEncoding('utf8').on('data', (text: string) => this.#take(text))
      response.on('close', () => (this.isOver = true))
      response.on('error', () => {})
    })
    this.#request.on('error', () => (this.isOver = true))
  }
  #take(text: string) {
    this.body += text
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop()!
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)!.slice(1) as [string, string]))
      if (fields.has('retry')) this.retry = Number(fields.get('retry'))
      const data = fields.get('data')
      if (data !== undefined) this.messages.push({ id: fields.get('id'), data: JSON.parse(data) })
    }
  }
  async until(count: number): Promise<Message[]> {
    await expect.poll(() => this.messages.length >= count || this.isOver, { interval: 5 }).toBe(true)
    if (this.messages.length < count)
      throw new Error(`ended after ${this.messages.length}: ${this.status} ${this.body}`)
    return this.messages
  }
  async ended(timeout = 5000): Promise<Message['data'] | undefined> {
    await expect.poll(() => this.isOver, { timeout, interval: 5 }).toBe(true)
    return this.messages.at(-1)?.data
  }
  leave(): void {
    this.#request.destroy()
  }
}
const path = (id = queue.id, query = '') => `/sse/tenants/live/queues/${id}/${query}`
async function take(queueId = queue.id) {
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v1/public/live/tickets/',
    payload: { queue_id: queueId, channel: 'web' },
  })
  expect(answer.statusCode, answer.body).toBe(201)
  return answer.json<{ id: number; public_token: string }>()
}

test('the same frames in the same order as over a WebSocket, each with a place to come back to', async () => {
  const stream = new Stream(path(), as(t.admin))
  await stream.until(1)
  const socket = new WebSocket(base.replace('http', 'ws') + path().replace('/sse/', '/ws/'), [
    'smartqueue.v1',
    `bearer.${tokenOf(t.admin)}`,
  ])
  const frames: unknown[] = []
  socket.on('message', (data) => frames.push(JSON.parse(String(data))))
  await expect.poll(() => frames.length).toBe(1)
  for (let i = 0; i < 5; i++) await take()
  await stream.until(6)
  await expect.poll(() => frames.length).toBe(6)
  expect(stream.contentType).toBe('text/event-stream; charset=utf-8')
  expect(stream.retry).toBeGreaterThanOrEqual(1000)
  expect(stream.messages.slice(1).map(({ data }) => data)).toEqual(frames.slice(1))
  const { epoch } = stream.messages[0]!.data
  for (const { id, data } of stream.messages) expect(id).toBe(`${epoch}:${data.offset}`)
  socket.terminate()
  stream.leave()
})

test.each([['display'], ['agent'], ['ticket']])('the feed of a %s too', async (name) => {
  const { public_token } = await take()
  const [display] = await owner<{ id: number }>(
    `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
    [t.tenant.id, t.sites[0]!.id],
  )
  const paths: Record<string, string> = {
    display: `/sse/tenants/live/displays/${display!.id}/`,
    agent: `/sse/tenants/live/agents/${t.agents[0]!.id}/`,
    ticket: `/sse/tickets/${public_token}/`,
  }
  const stream = new Stream(paths[name]!, name === 'ticket' ? {} : as(t.admin))
  const [snapshot] = await stream.until(1)
  expect(snapshot!.data).toMatchObject({ type: 'snapshot', [name]: expect.any(Object) as object })
  await take()
  await stream.until(2)
  stream.leave()
})

test('a browser that comes back by itself gets all it missed, and only that', async () => {
  const first = new Stream(path(), as(t.admin))
  await first.until(1)
  await take()
  const { id } = (await first.until(2))[1]!
  first.leave()
  const missed = [await take(), await take(), await take()]
  // Its address still says where the page began.
  const back = new Stream(path(queue.id, '?epoch=old&since=1'), { ...as(t.admin), 'last-event-id': id! })
  const messages = await back.until(3)
  expect(messages.map(({ data }) => data.ticket.id)).toEqual(missed.map((ticket) => ticket.id))
  expect(messages[0]!.data.after).toBe(Number(id!.split(':')[1]))
  back.leave()
})

test.each([
  ['another epoch', 'gone:5', 'epoch'],
  ['a future offset', 'EPOCH:99999999', 'ahead'],
  ['nonsense', 'x', 'epoch'],
])('from %s nothing can be continued: resync and a snapshot', async (_, id, reason) => {
  const first = new Stream(path(), as(t.admin))
  const [snapshot] = await first.until(1)
  first.leave()
  const back = new Stream(path(), { ...as(t.admin), 'last-event-id': id.replace('EPOCH', snapshot!.data.epoch!) })
  const [resync, fresh] = await back.until(2)
  expect(resync).toEqual({ id: undefined, data: { type: 'resync', reason } })
  expect(fresh!.data.type).toBe('snapshot')
  back.leave()
})

test.each([
  ['no credential', () => ({}), path(), 401],
  ['a forged token', () => ({ authorization: 'Bearer nonsense' }), path(), 401],
  ['another tenant’s token', () => as(other.admin), path(), 404],
  ['a queue that does not exist', () => as(t.admin), path(987_654), 404],
  ['a role that may not', () => as(t.kiosk), path(), 403],
  ['a foreign page', () => ({ ...as(t.admin), origin: 'https://evil.example' }), path(), 403],
  ['what is no feed', () => as(t.admin), '/sse/nonsense/', 404],
  ['a token of no ticket', () => ({}), '/sse/tickets/1-nothing/', 404],
])('%s is an ordinary problem and no stream', async (_, headers, url, status) => {
  const stream = new Stream(url, headers())
  await stream.ended()
  expect([stream.status, stream.contentType]).toEqual([status, 'application/problem+json; charset=utf-8'])
  expect(stream.messages).toEqual([])
})

test('a listed origin may follow; a one-time ticket opens one stream', async () => {
  const listed = new Stream(path(), { ...as(t.admin), origin: 'https://console.example' })
  await listed.until(1)
  listed.leave()
  const { ticket } = (
    await app.inject({ method: 'POST', url: '/api/v1/auth/ws-ticket/', headers: as(t.admin), payload: {} })
  ).json<{ ticket: string }>()
  const first = new Stream(path(queue.id, `?ticket=${ticket}`))
  await first.until(1)
  const again = new Stream(path(queue.id, `?ticket=${ticket}`))
  await again.ended()
  expect(again.status).toBe(401)
  first.leave()
})

const password = 'correct horse battery'
async function signIn(url: string) {
  await owner('update users set password_hash = $2 where id = $1', [t.supervisor.userId, quickHash(password)])
  const [{ email }] = (await owner<{ email: string }>('select email from users where id = $1', [
    t.supervisor.userId,
  ])) as [{ email: string }]
  return app.inject({ method: 'POST', url, payload: { email, password } })
}

test('the console’s cookie opens a stream for its own pages, over both transports, and for nobody else’s', async () => {
  const answer = await signIn('/api/v1/auth/session/')
  expect(answer.statusCode, answer.body).toBe(200)
  const cookie = String(answer.headers['set-cookie']).split(';')[0]!
  const own = new Stream(path(), { cookie, 'sec-fetch-site': 'same-origin' })
  await own.until(1)
  for (const headers of [
    { cookie },
    { cookie, 'sec-fetch-site': 'cross-site' },
    { cookie, origin: 'https://console.example' },
  ]) {
    const refused = new Stream(path(), headers)
    await refused.ended()
    expect(refused.status).toBe(403)
  }
  const open = async (origin: string) => {
    const socket = new WebSocket(base.replace('http', 'ws') + path().replace('/sse/', '/ws/'), ['smartqueue.v1'], {
      origin,
      headers: { cookie },
    })
    const outcome = await Promise.race([
      once(socket, 'message').then(() => 'open'),
      once(socket, 'close').then(([code]) => code as number),
    ])
    socket.terminate()
    return outcome
  }
  expect(await open(base)).toBe('open')
  expect(await open('https://console.example')).toBe(4403)
  own.leave()
})

test('signing out ends the stream within five seconds and says why', async () => {
  const { access } = (await signIn('/api/v1/auth/token/')).json<{ access: string }>()
  const headers = { authorization: `Bearer ${access}` }
  const [mine, others] = [new Stream(path(), headers), new Stream(path(), as(t.admin))]
  await Promise.all([mine.until(1), others.until(1)])
  await app.inject({ method: 'POST', url: '/api/v1/auth/logout/', headers, payload: {} })
  expect(await mine.ended()).toEqual({ type: 'close', code: 4401, reason: 'session_revoked' })
  expect(others.isOver).toBe(false)
  others.leave()
})

test('a page may ask for a heartbeat it can see', async () => {
  const stream = new Stream(path(queue.id, '?heartbeat=5'), as(t.admin))
  await stream.until(1)
  await expect.poll(() => stream.messages.some(({ data }) => data.type === 'ping')).toBe(true)
  stream.leave()
})

test('a stop tells everybody when to come back', async () => {
  const streams = Array.from({ length: 5 }, () => new Stream(path(), as(t.admin)))
  await Promise.all(streams.map((stream) => stream.until(1)))
  const stopping = app.close()
  for (const stream of streams) expect(await stream.ended()).toMatchObject({ type: 'close', code: 1012 })
  await stopping
  expect(new Set(streams.map(({ retry }) => retry)).size).toBeGreaterThan(1)
})
