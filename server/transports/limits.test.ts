import { once } from 'node:events'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { startApp } from '../test/app.ts'

// Production's amounts.
const server = await startApp({ RATE_LIMIT_FACTOR: '1' })
const { app, owner, aTenant, as, tokenOf } = server
const base = await server.listen()
const t = await aTenant({ slug: 'live', agents: 2, counters: 2 })
const queue = t.queues[0]!
const path = `tenants/live/queues/${queue.id}/`
const [display] = await owner<{ id: number }>(
  `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
  [t.tenant.id, t.sites[0]!.id],
)
const displayPath = `tenants/live/displays/${display!.id}/`

function open(token: string, feed = path) {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/ws/${feed}`, ['smartqueue.v1', `bearer.${token}`])
  const state = { socket, closed: undefined as { code: number; reason: string } | undefined, refused: 0, isOpen: false }
  socket.on('close', (code, reason) => (state.closed = { code, reason: String(reason) }))
  socket.on('unexpected-response', (_, response) => (state.refused = response.statusCode!))
  socket.on('message', () => (state.isOpen = true))
  socket.on('error', () => {})
  return state
}
/** A stream; `ended` is the last thing it said. */
async function stream(token: string, feed = path) {
  const ending = new AbortController()
  const answer = await fetch(`${base}/sse/${feed}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: ending.signal,
  })
  const state = { status: answer.status, text: '', isOver: false, leave: () => ending.abort() }
  void (async () => {
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) state.text += chunk
  })()
    .catch(() => {})
    .finally(() => (state.isOver = true))
  return state
}
const api = (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
  app.inject({ method, url: `/api/v1/tenants/live${url}`, headers: as(t.admin), ...(payload && { payload }) })

async function pair(): Promise<{ token: string; id: number }> {
  const root = async (url: string, payload: object) =>
    (await app.inject({ method: 'POST', url: `/api/v1${url}`, payload })).json<any>()
  const { code, secret } = await root('/devices/pairing/', {})
  const paired = await api('POST', '/devices/pair/', { code, kind: 'display', site_id: t.sites[0]!.id, name: 'Hall' })
  expect(paired.statusCode, paired.body).toBe(201)
  const { token, device } = await root('/devices/pairing/poll/', { secret })
  return { token, id: device.id }
}
/** Credentials that are no person's sessions, and what ends each. */
const MACHINES: Record<string, () => Promise<{ token: string; end: () => Promise<unknown> }>> = {
  'an API key that is revoked': async () => {
    const { id, key } = (await api('POST', '/api-keys/', { name: 'x', scopes: ['read:queue'] })).json()
    return { token: key, end: () => api('DELETE', `/api-keys/${id}/`) }
  },
  'a device that is locked': async () => {
    const { token, id } = await pair()
    return { token, end: () => api('PATCH', `/devices/${id}/`, { is_locked: true }) }
  },
  'a device that is revoked': async () => {
    const { token, id } = await pair()
    return { token, end: () => api('DELETE', `/devices/${id}/`) }
  },
}
test.each(Object.entries(MACHINES))('%s ends its socket and its stream within five seconds', async (_, make) => {
  const { token, end } = await make()
  const feed = token.startsWith('sd_') ? displayPath : path
  const [socket, events] = [open(token, feed), await stream(token, feed)]
  await expect.poll(() => [socket.isOpen, events.text.includes('snapshot')]).toEqual([true, true])
  await end()
  await expect.poll(() => socket.closed).toEqual({ code: 4401, reason: 'session_revoked' })
  await expect.poll(() => events.isOver).toBe(true)
  expect(events.text).toMatch(/data: \{"type":"close","code":4401,"reason":"session_revoked"\}\n\n$/)
})

test('a change of role ends both, because a session speaks for who somebody was', async () => {
  const sid = '7a1e8f3c-2b4d-4c6e-9f80-123456789abc'
  await owner(
    `insert into sessions (id, user_id, tenant_id, scopes, kind, method, expires_at, ends_at)
     values ($1, $2, $3, '{}', 'tokens', 'password', now() + interval '1 hour', now() + interval '1 hour')`,
    [sid, t.supervisor.userId, t.tenant.id],
  )
  const token = tokenOf({ ...t.supervisor, sessionId: sid })
  const [socket, events] = [open(token), await stream(token)]
  await expect.poll(() => [socket.isOpen, events.text.includes('snapshot')]).toEqual([true, true])
  expect((await api('PATCH', `/users/${t.supervisor.userId}/`, { role: 'agent' })).statusCode).toBe(200)
  await expect.poll(() => socket.closed?.code).toBe(4401)
  await expect.poll(() => events.isOver).toBe(true)
})

test('who talks too much is cut, and so is who says too much at once', async () => {
  const [chatty, long] = [open(tokenOf(t.admin)), open(tokenOf(t.admin))]
  await expect.poll(() => chatty.isOpen && long.isOpen).toBe(true)
  for (let i = 0; i < 60; i++) chatty.socket.send('hello')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(chatty.closed).toBe(undefined)
  chatty.socket.send('once more')
  await expect.poll(() => chatty.closed).toEqual({ code: 4429, reason: 'too_many_messages' })
  long.socket.send('x'.repeat(65_537))
  await expect.poll(() => long.closed?.code).toBe(1009)
})

test('one actor may have so many connections at once, over both transports, and others are not concerned', async () => {
  const token = tokenOf(t.agentActors[0]!)
  const states = []
  for (let i = 0; i < 100; i++) {
    const state = open(token)
    states.push(state)
    await once(state.socket, 'message')
  }
  const more = open(token)
  await expect.poll(() => more.closed).toEqual({ code: 4429, reason: 'too_many_connections' })
  expect((await stream(token)).status).toBe(429)
  const other = open(tokenOf(t.agentActors[1]!))
  await expect.poll(() => other.isOpen).toBe(true)
  // A place that was left is free again.
  states[0]!.socket.terminate()
  await expect
    .poll(async () => {
      const again = open(token)
      await expect.poll(() => again.isOpen || again.closed !== undefined).toBe(true)
      return again.isOpen
    })
    .toBe(true)
  for (const { socket } of states) socket.terminate()
})
