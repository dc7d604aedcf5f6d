import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { afterAll, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import type { Actor } from '../kernel/access.ts'
import { quickHash } from '../test/password.ts'
import { startApp } from '../test/app.ts'

// The server's clockwork, and nothing else, goes by our hand.
vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
afterAll(() => vi.useRealTimers())
const { app, owner, aTenant, listen } = await startApp()
const t = await aTenant({ slug: 'live', queues: 1 })
const base = (await listen()).replace('http', 'ws')
const queue = t.queues[0]!.id

async function signIn({ userId }: Actor): Promise<string> {
  const [who] = await owner<{ email: string }>('select email from users where id = $1', [userId])
  const payload = { ...who, password: 'correct horse battery' }
  const answer = await app.inject({ method: 'POST', url: '/api/v1/auth/token/', payload })
  return answer.json<{ access: string }>().access
}
/** Opens both kinds of socket, and tells how each ended. */
async function open(access: string) {
  const ends: Record<string, [number, string]> = {}
  const socket = new WebSocket(`${base}/ws/tenants/live/queues/${queue}/`, ['smartqueue.v1', `bearer.${access}`])
  socket.on('close', (code, reason) => (ends['websocket'] = [code, String(reason)]))
  const client = createClient({
    url: `${base}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${access}` },
    on: { closed: (event) => (ends['graphql'] = [(event as CloseEvent).code, (event as CloseEvent).reason]) },
  })
  const heard = { websocket: 0, graphql: 0 }
  socket.on('message', () => heard.websocket++)
  client.subscribe(
    { query: `subscription { queue(queue_id: ${queue}) { type } }` },
    { next: () => heard.graphql++, error: () => {}, complete: () => {} },
  )
  await expect.poll(() => heard).toEqual({ websocket: 1, graphql: 1 })
  const close = async () => {
    socket.terminate()
    await client.dispose()
  }
  return { ends, close }
}
/** A second of the server's, with time for what it asks and for the answers to its pings. */
async function passSeconds(count: number) {
  for (let i = 0; i < count; i++) {
    vi.advanceTimersByTime(1000)
    await sleep(5)
  }
}

test('whoever is let in no more is found within a minute, also when no notice of it came, and nobody else', async () => {
  await owner('update users set password_hash = $1', [quickHash('correct horse battery')])
  const [ending, standing] = [await open(await signIn(t.supervisor)), await open(await signIn(t.admin))]
  // As another process would have done whose notice reached nobody: the session itself goes on.
  await owner('update memberships set is_active = false where user_id = $1', [t.supervisor.userId])
  await passSeconds(30)
  await sleep(100)
  // The control: nothing else tells.
  expect(ending.ends).toEqual({})
  await passSeconds(31)
  const found: [number, string] = [4401, 'session_revoked']
  await expect.poll(() => ending.ends).toEqual({ websocket: found, graphql: found })
  expect(standing.ends).toEqual({})
  await standing.close()
})
