import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { applyEvent, type Board, type LiveEvent } from '../../shared/board.ts'
import { quickHash } from '../test/password.ts'
import { MAX_BUFFERED_BYTES } from './fan-out.ts'
import { startApp } from '../test/app.ts'

const server = await startApp({ CORS_ALLOWED_ORIGINS: 'https://console.example' })
const { app, owner, aTenant, as, tokenOf } = server
const base = (await server.listen()).replace('http', 'ws')
const t = await aTenant({ slug: 'live', queues: 2, agents: 2 })
const other = await aTenant({ slug: 'other' })
const [queue, second] = t.queues as [(typeof t.queues)[number], (typeof t.queues)[number]]
await owner('update queues set number_last = 1000000')

interface Frame {
  type: string
  epoch?: string
  offset: number
  after: number
  reason?: string
  ticket?: { id: number; status: string }
}
/** A client that keeps every frame. */
class Client {
  readonly socket: WebSocket
  readonly frames: Frame[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(path: string, { token, options = {} }: { token?: string; options?: WebSocket.ClientOptions } = {}) {
    const protocols = token ? ['smartqueue.v1', `bearer.${token}`] : ['smartqueue.v1']
    this.socket = new WebSocket(base + path, protocols, options)
    this.socket.on('message', (data) => this.frames.push(JSON.parse(String(data)) as Frame))
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
  }
  /** The frames, once there are so many; fails at once when the connection closes before. */
  async until(count: number, timeout = 10_000): Promise<Frame[]> {
    await expect
      .poll(() => this.frames.length >= count || this.socket.readyState === WebSocket.CLOSED, { timeout, interval: 5 })
      .toBe(true)
    if (this.frames.length < count) throw new Error(`closed: ${JSON.stringify(await this.closed)}`)
    return this.frames
  }
  async leave(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}
const queuePath = (id = queue.id, query = '') => `/ws/tenants/live/queues/${id}/${query}`
const staff = () => ({ token: tokenOf(t.admin) })

async function take(queueId = queue.id, slug = 'live'): Promise<{ id: number; public_token: string }> {
  const url = `/api/v1/public/${slug}/tickets/`
  const answer = await app.inject({ method: 'POST', url, payload: { queue_id: queueId, channel: 'web' } })
  expect(answer.statusCode, answer.body).toBe(201)
  return answer.json()
}
const post = (path: string, payload: object = {}) =>
  app.inject({ method: 'POST', url: `/api/v1/tenants/live${path}`, headers: as(t.admin), payload })

test('first a snapshot, then every event of the queue in order, each naming the frame before it', async () => {
  const client = new Client(queuePath(), staff())
  await client.until(1)
  const foreign = new Client(queuePath(second.id), staff())
  await foreign.until(1)
  for (let i = 0; i < 5; i++) {
    await take()
    await take(second.id)
  }
  const called = (await post(`/agents/${t.agents[0]!.id}/call-next/`)).json<{ ticket: { id: number } }>()
  const [snapshot, ...events] = await client.until(7)
  expect(snapshot).toMatchObject({
    type: 'snapshot',
    epoch: expect.any(String) as string,
    offset: expect.any(Number) as number,
  })
  let offset = snapshot!.offset
  for (const event of events) {
    expect(event.after).toBe(offset)
    expect(event.offset).toBeGreaterThan(offset)
    offset = event.offset
  }
  expect(events.slice(0, 5).map(({ type }) => type)).toEqual(Array(5).fill('ticket.created'))
  expect(events.find(({ type }) => type === 'ticket.called')?.ticket?.id).toBe(called.ticket.id)

  const board = events.reduce((state, event) => applyEvent(state, event as LiveEvent), snapshot as unknown as Board)
  const fresh = (
    await app.inject({ url: `/api/v1/tenants/live/queues/${queue.id}/board/`, headers: as(t.admin) })
  ).json<Board>()
  expect({ ...board, type: undefined }).toEqual({ ...fresh, type: undefined })
  await Promise.all([client.leave(), foreign.leave()])
})

test('all followers of a feed get the very same bytes', async () => {
  const clients = Array.from({ length: 20 }, () => new Client(queuePath(), staff()))
  await Promise.all(clients.map((client) => client.until(1)))
  await take()
  const frames = await Promise.all(clients.map(async (client) => JSON.stringify(await client.until(2))))
  expect(new Set(frames).size).toBe(1)
  await Promise.all(clients.map((client) => client.leave()))
})

test('who joins while events come in misses none and sees none twice', async () => {
  let isTaking = true
  const taking = (async () => {
    while (isTaking) await take()
  })()
  const clients: Client[] = []
  for (let i = 0; i < 25; i++) {
    clients.push(new Client(queuePath(), staff()))
    await delay(10)
  }
  await Promise.all(clients.map((client) => client.until(3)))
  isTaking = false
  await taking
  const [{ last }] = (await owner<{ last: number }>(
    'select last_offset as last from streams where tenant_id = $1 and site_id = $2',
    [t.tenant.id, t.sites[0]!.id],
  )) as [{ last: number }]
  for (const client of clients) {
    await expect.poll(() => client.frames.at(-1)!.offset).toBe(last)
    for (const [i, frame] of client.frames.entries()) if (i > 0) expect(frame.after).toBe(client.frames[i - 1]!.offset)
    await client.leave()
  }
})

test('after a break every missed event comes, in order, and nothing else', async () => {
  const first = new Client(queuePath(), staff())
  const [snapshot] = await first.until(1)
  await take()
  await first.until(2)
  const { offset } = first.frames[1]!
  await first.leave()
  const taken = [await take(), await take(), await take()]
  const back = new Client(queuePath(queue.id, `?epoch=${snapshot!.epoch}&since=${offset}`), staff())
  const frames = await back.until(3)
  expect(frames.map(({ ticket }) => ticket?.id)).toEqual(taken.map(({ id }) => id))
  expect(frames[0]!.after).toBe(offset)
  await take()
  await back.until(4)
  expect(back.frames[3]!.after).toBe(back.frames[2]!.offset)
  await back.leave()
})

test('the same holds when this process never heard of the feed before', async () => {
  const cold = await aTenant({ slug: 'cold' })
  const path = `/ws/tenants/cold/queues/${cold.queues[0]!.id}/`
  const [{ epoch }] = (await owner<{ epoch: string }>(
    'select epoch from streams where tenant_id = $1 and site_id <> 0',
    [cold.tenant.id],
  )) as [{ epoch: string }]
  const taken = [await take(cold.queues[0]!.id, 'cold'), await take(cold.queues[0]!.id, 'cold')]
  const client = new Client(`${path}?epoch=${epoch}&since=0`, { token: tokenOf(cold.admin) })
  const frames = await client.until(2)
  expect(frames.map(({ type, after, ticket }) => [type, after, ticket?.id])).toEqual([
    ['ticket.created', 0, taken[0]!.id],
    ['ticket.created', frames[0]!.offset, taken[1]!.id],
  ])
  await client.leave()
})

test.each([
  ['another epoch', (offset: number) => `?epoch=old&since=${offset}`, 'epoch'],
  ['a future offset', (_: number, epoch: string) => `?epoch=${epoch}&since=99999999`, 'ahead'],
])('from %s nothing can be continued: resync and a snapshot', async (_, query, reason) => {
  const first = new Client(queuePath(), staff())
  const [snapshot] = await first.until(1)
  await first.leave()
  const back = new Client(queuePath(queue.id, query(snapshot!.offset, snapshot!.epoch!)), staff())
  const [resync, fresh] = await back.until(2)
  expect(resync).toEqual({ type: 'resync', reason })
  expect(fresh).toMatchObject({ type: 'snapshot', epoch: snapshot!.epoch })
  await back.leave()
})

test('a hole too large or older than the log is told, never skipped', async () => {
  const far = await aTenant({ slug: 'far' })
  const site = far.sites[0]!.id
  const token = tokenOf(far.admin)
  await owner(
    `insert into events (tenant_id, site_id, "offset", type, actor, queue_id, data)
     select $1, $2, n, 'ticket.note', 'system', $3, '{}' from generate_series(1, 2500) n`,
    [far.tenant.id, site, far.queues[0]!.id],
  )
  await owner('update streams set last_offset = 2500 where tenant_id = $1 and site_id = $2', [far.tenant.id, site])
  const [{ epoch }] = (await owner<{ epoch: string }>(
    'select epoch from streams where tenant_id = $1 and site_id = $2',
    [far.tenant.id, site],
  )) as [{ epoch: string }]
  const reasonSince = async (since: number) => {
    const client = new Client(`/ws/tenants/far/queues/${far.queues[0]!.id}/?epoch=${epoch}&since=${since}`, { token })
    const [frame] = await client.until(2)
    await client.leave()
    return frame!.reason
  }
  expect(await reasonSince(1)).toBe('too_far')
  expect(await reasonSince(1900)).toBe('too_far')
  await owner('delete from events where tenant_id = $1 and "offset" < 2400', [far.tenant.id])
  expect(await reasonSince(2100)).toBe('expired')
})

test('a visitor follows the own ticket with its token alone; a wrong one opens nothing', async () => {
  const { public_token: token, id } = await take()
  const client = new Client(`/ws/tickets/${token}/`)
  const [snapshot] = await client.until(1)
  expect(snapshot).toMatchObject({ type: 'snapshot', ticket: { id, status: 'en_attente' } })
  await app.inject({ method: 'POST', url: `/t/${token}/cancel/`, payload: {} })
  await expect.poll(() => client.frames.at(-1)?.ticket?.status).toBe('annulé')
  await client.leave()
  const wrong = new Client(`/ws/tickets/${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}/`)
  expect(await wrong.closed).toEqual({ code: 4404, reason: 'not_found' })
})

test('a one-time ticket opens one connection', async () => {
  const { ticket } = (
    await app.inject({ method: 'POST', url: '/api/v1/auth/ws-ticket/', headers: as(t.admin), payload: {} })
  ).json<{
    ticket: string
  }>()
  const first = new Client(queuePath(queue.id, `?ticket=${ticket}`))
  await first.until(1)
  const again = new Client(queuePath(queue.id, `?ticket=${ticket}`))
  expect(await again.closed).toMatchObject({ code: 4401 })
  await first.leave()
})

test.each([
  ['no credential', () => ({}), queuePath(), 4401],
  ['a forged token', () => ({ token: 'nonsense' }), queuePath(), 4401],
  ['another tenant’s token', () => ({ token: tokenOf(other.admin) }), queuePath(), 4404],
  ['a queue that does not exist', staff, queuePath(987_654), 4404],
  ['a queue of another tenant', staff, queuePath(other.queues[0]!.id), 4404],
  ['an id that is none', staff, '/ws/tenants/live/queues/abc/', 4404],
  ['a role that may not', () => ({ token: tokenOf(t.kiosk) }), queuePath(), 4403],
  ['a token without the scope', () => ({ token: tokenOf({ ...t.admin, scopes: new Set() }) }), queuePath(), 4403],
])('%s is closed with a code and shown nothing', async (_, credential, path, code) => {
  const client = new Client(path, credential())
  expect((await client.closed).code).toBe(code)
  expect(client.frames).toEqual([])
})

test('a page of a foreign origin is refused before the handshake; ours and the listed ones are not', async () => {
  const statusOf = async (origin: string) => {
    const client = new Client(queuePath(), { ...staff(), options: { origin } })
    const answer = await Promise.race([
      once(client.socket, 'open').then(() => 101),
      once(client.socket, 'unexpected-response').then(
        ([, response]) => (response as { statusCode: number }).statusCode,
      ),
    ])
    client.socket.terminate()
    return answer
  }
  expect(await statusOf('https://evil.example')).toBe(403)
  expect(await statusOf('null')).toBe(403)
  expect(await statusOf('https://console.example')).toBe(101)
  const own = base.replace('ws', 'http')
  expect(await statusOf(own)).toBe(101)
  // The same host is not the same origin.
  expect(await statusOf(own.replace('http:', 'https:'))).toBe(403)
  expect(await statusOf(own.replace(/:\d+$/, ':1'))).toBe(403)
  expect(await statusOf(own.replace(/:\d+$/, ''))).toBe(403)
})

test('what is no feed is no WebSocket', async () => {
  const client = new Client('/ws/nonsense/')
  const [, response] = (await once(client.socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  expect(response.statusCode).toBe(404)
  client.socket.terminate()
})

test('signing out cuts what the session has open; other sessions stay', async () => {
  const password = 'correct horse battery'
  await owner('update users set password_hash = $2 where id = $1', [t.admin.userId, quickHash(password)])
  const [{ email }] = (await owner<{ email: string }>('select email from users where id = $1', [t.admin.userId])) as [
    { email: string },
  ]
  const signIn = { method: 'POST', url: '/api/v1/auth/token/', payload: { email, password } } as const
  const { access } = (await app.inject(signIn)).json<{ access: string }>()
  const [mine, others] = [new Client(queuePath(), { token: access }), new Client(queuePath(), staff())]
  await Promise.all([mine.until(1), others.until(1)])
  const headers = { authorization: `Bearer ${access}` }
  await app.inject({ method: 'POST', url: '/api/v1/auth/logout/', headers, payload: {} })
  expect(await mine.closed).toEqual({ code: 4401, reason: 'session_revoked' })
  expect(others.socket.readyState).toBe(WebSocket.OPEN)
  expect((await app.inject({ url: '/api/v1/auth/session/', headers })).statusCode).toBe(401)
  await others.leave()
})

test('a consumer that never reads is cut and costs the others nothing', async () => {
  const { port } = new URL(base)
  const stalled = connect(Number(port), '127.0.0.1')
  stalled.write(
    [
      `GET ${queuePath()} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Authorization: Bearer ${tokenOf(t.admin)}`,
      '\r\n',
    ].join('\r\n'),
  )
  await once(stalled, 'readable')
  stalled.pause()
  let isCut = false
  stalled.on('error', () => (isCut = true))
  stalled.on('close', () => (isCut = true))
  const healthy = new Client(queuePath(), staff())
  await healthy.until(1)
  // 4 kB each: the kernel's buffers and the megabyte of ours are full after some hundreds.
  const labels = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(50, 'x'))
  let sent = 0
  const connections = () => new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)))
  const before = await connections()
  while ((await connections()) === before && sent < 20_000) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        app.inject({
          method: 'POST',
          url: '/api/v1/tenants/live/tickets/',
          headers: as(t.admin),
          payload: { queue_id: queue.id, channel: 'api', labels, needs: labels },
        }),
      ),
    )
    expect(answers.every(({ statusCode }) => statusCode === 201)).toBe(true)
    sent += 50
  }
  expect(await connections()).toBe(before - 1)
  expect(sent).toBeLessThan(20_000)
  await expect.poll(() => healthy.frames.filter(({ type }) => type === 'ticket.created').length).toBe(sent)
  for (const [i, frame] of healthy.frames.entries()) if (i > 0) expect(frame.after).toBe(healthy.frames[i - 1]!.offset)
  stalled.resume()
  await expect.poll(() => isCut).toBe(true)
  await healthy.leave()
}, 120_000)

test('a snapshot larger than a consumer may leave unread still arrives', async () => {
  const client = new Client(queuePath(), staff())
  const [snapshot] = await client.until(1, 40_000)
  expect(JSON.stringify(snapshot).length).toBeGreaterThan(MAX_BUFFERED_BYTES)
  await take()
  const [, event] = await client.until(2, 40_000)
  expect(event!.after).toBe(snapshot!.offset)
  await client.leave()
})

test('a page may ask for a heartbeat it can see', async () => {
  const client = new Client(queuePath(second.id, '?heartbeat=5'), staff())
  await client.until(1)
  await expect.poll(() => client.frames.some(({ type }) => type === 'ping')).toBe(true)
  await client.leave()
})

test('a stop tells everybody to come back at a moment of their own', async () => {
  const clients = Array.from({ length: 5 }, () => new Client(queuePath(second.id), staff()))
  await Promise.all(clients.map((client) => client.until(1)))
  const stopping = app.close()
  const closes = await Promise.all(clients.map((client) => client.closed))
  await stopping
  expect(closes.map(({ code }) => code)).toEqual([1012, 1012, 1012, 1012, 1012])
  for (const { reason } of closes) expect(Number(/^retry_after_ms=(\d+)$/.exec(reason)?.[1])).toBeLessThan(5000)
  expect(new Set(closes.map(({ reason }) => reason)).size).toBeGreaterThan(1)
})
