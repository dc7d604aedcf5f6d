import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { startApp } from '../../test/app.ts'
import { quickHash } from '../../test/password.ts'

const SECRET_KEY = 'a key that two processes share, more than thirty-two characters'
const WITHIN_MS = 5000
const here = await startApp({ SECRET_KEY })
const t = await here.aTenant({ slug: 'everywhere', agents: 5 })
const password = 'trois petits chats'
const queueId = t.queues[0]!.id
let elsewhere: string
let child: ChildProcess | undefined

/** Another process on the same database, as a second machine would be. */
async function startAnother(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  child = spawn(process.execPath, ['server/main.ts', 'serve', '--roles', 'api,realtime'], {
    env: {
      SECRET_KEY,
      DATABASE_URL: here.config.databaseUrl!,
      DATABASE_DIRECT_URL: here.directUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: '0',
      LOG_LEVEL: 'error',
    },
    stdio: 'inherit',
  })
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(() => fetch(`${url}/readyz`).then(({ status }) => expect(status).toBe(200)), {
    timeout: 50_000,
    interval: 100,
  })
  return url
}

beforeAll(async () => {
  await here.listen()
  await here.owner('update users set password_hash = $1', [quickHash(password)])
  elsewhere = await startAnother()
})
afterAll(async () => {
  if (!child || child.exitCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
})

interface Pair {
  access: string
  refresh: string
  user: { id: number }
}
const post = (path: string, payload: object, token?: string) =>
  here.app.inject({
    method: 'POST',
    url: `/api/v1${path}`,
    payload,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  })
const signIn = async (name: string) =>
  (await post('/auth/token/', { email: `${name}@everywhere.example`, password })).json<Pair>()
const statusThere = async (token: string) =>
  (await fetch(`${elsewhere}/api/v1/queues/${queueId}/`, { headers: { authorization: `Bearer ${token}` } })).status

/** A live feed of the other process, opened by a bearer token or a one-time ticket; `closed` is its close code. */
async function follow(how: { bearer: string } | { ticket: string }) {
  const url = `${elsewhere.replace('http', 'ws')}/ws/tenants/everywhere/queues/${queueId}/`
  const socket =
    'bearer' in how
      ? new WebSocket(url, ['smartqueue.v1', `bearer.${how.bearer}`])
      : new WebSocket(`${url}?ticket=${how.ticket}`)
  const state = { closed: undefined as number | undefined }
  socket.on('close', (code) => (state.closed = code))
  socket.on('error', () => {})
  await once(socket, 'message')
  return state
}
async function twoFollowers(token: string) {
  const { ticket } = (await post('/auth/ws-ticket/', {}, token)).json<{ ticket: string }>()
  return Promise.all([follow({ bearer: token }), follow({ ticket })])
}

describe('a session that ends in one process ends in every other, requests and sockets, within five seconds', () => {
  const ends: Record<string, (pair: Pair) => Promise<unknown>> = {
    'by signing out': ({ access }) => post('/auth/logout/', {}, access),
    'by closing the membership': ({ user }) =>
      here.app.inject({
        method: 'PATCH',
        url: `/api/v1/users/${user.id}/`,
        headers: here.as(t.admin),
        payload: { is_active: false },
      }),
    'by a refresh token used twice': async ({ access, refresh }) => {
      await post('/auth/token/refresh/', { refresh })
      const { sid } = JSON.parse(Buffer.from(access.split('.')[1]!, 'base64url').toString()) as { sid: string }
      await here.owner(`update sessions set rotated_at = rotated_at - interval '11 seconds' where id = $1`, [sid])
      expect((await post('/auth/token/refresh/', { refresh })).json()).toMatchObject({ code: 'token_reused' })
    },
    'also when the notice is lost': ({ user }) =>
      here.owner('update sessions set revoked_at = now() where user_id = $1', [user.id]),
    'also when its time is up': ({ user }) =>
      here.owner('update sessions set expires_at = now() where user_id = $1 and revoked_at is null', [user.id]),
  }
  test.each(Object.entries(ends))('%s', async (name, end) => {
    const pair = await signIn(`agent${Object.keys(ends).indexOf(name) + 1}`)
    const bystander = await signIn('supervisor1')
    const followers = await twoFollowers(pair.access)
    expect(await statusThere(pair.access)).toBe(200)
    await end(pair)
    await expect.poll(() => followers.map(({ closed }) => closed), { timeout: WITHIN_MS }).toEqual([4401, 4401])
    await expect.poll(() => statusThere(pair.access), { timeout: WITHIN_MS }).toBe(401)
    expect((await post('/auth/token/refresh/', { refresh: pair.refresh })).statusCode).toBe(401)
    // Others go on.
    expect(await statusThere(bystander.access)).toBe(200)
  })
})
