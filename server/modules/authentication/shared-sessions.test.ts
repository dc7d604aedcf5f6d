import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { isCacheKey } from '../../kernel/cache/key.ts'
import { startApp } from '../../test/app.ts'
import { startRedis } from '../../test/redis.ts'
import { freePort } from '../../../test/faults/proxy.ts'
import { quickHash } from '../../test/password.ts'

const PREFIX = 'smartqueue:cache:'
const SECRET_KEY = 'a key that two processes share, more than thirty-two characters'
const redis = await startRedis()
const here = redis ? await startApp({ SECRET_KEY, REDIS_URL: redis.url }) : undefined
let elsewhere = ''
let child: ChildProcess | undefined
const password = 'trois petits chats'
let queueId = 0

/** Another process on the same database and the same Redis. */
async function startAnother(): Promise<string> {
  const port = await freePort()
  child = spawn(process.execPath, ['server/main.ts', 'serve', '--roles', 'api'], {
    env: {
      SECRET_KEY,
      DATABASE_URL: here!.config.databaseUrl!,
      DATABASE_DIRECT_URL: here!.directUrl,
      REDIS_URL: redis!.url,
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: '0',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(() => fetch(`${url}/readyz`).then(({ status }) => expect(status).toBe(200)), {
    timeout: 50_000,
    interval: 100,
  })
  return url
}
beforeAll(async () => {
  if (!here) return
  const t = await here.aTenant({ slug: 'shared', agents: 6 })
  queueId = t.queues[0]!.id
  await here.owner('update users set password_hash = $1', [quickHash(password)])
  elsewhere = await startAnother()
})
afterAll(async () => {
  if (child && child.exitCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await redis?.close()
})

/** A console's session: its cookie and what changes must bring along. */
async function signIn(name: string) {
  const answer = await here!.app.inject({
    method: 'POST',
    url: '/api/v1/auth/session/',
    payload: { email: `${name}@shared.example`, password },
  })
  expect(answer.statusCode, answer.body).toBeLessThan(300)
  const cookie = answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  return { cookie, csrf: answer.json<{ csrf_token: string }>().csrf_token }
}
const path = () => `/api/v1/queues/${queueId}/`
const statusHere = async (cookie: string) => (await here!.app.inject({ url: path(), headers: { cookie } })).statusCode
const statusThere = async (cookie: string) => (await fetch(elsewhere + path(), { headers: { cookie } })).status
const link = redis?.link()
const commands = () => link!.commands
beforeEach(async () => {
  await link?.ready(5000)
  await link?.commands.flushall()
})
const kept = async () => (await commands().keys(`${PREFIX}console-session@*`)).filter((key) => !key.endsWith(':claim'))

describe.skipIf(!redis)('sessions that two processes know through Redis', () => {
  test('one looks it up, both know it, and nothing in Redis opens a door', async () => {
    const { cookie } = await signIn('agent1')
    expect(await statusHere(cookie)).toBe(200)
    const keys = await kept()
    expect(keys).toHaveLength(1)
    expect(isCacheKey(keys[0]!.slice(PREFIX.length))).toBe(true)
    const value = (await commands().get(keys[0]!))!
    expect(`${keys[0]} ${value}`).not.toContain(cookie.slice('session='.length))
    // The row is gone, and nobody was told: only who was given what the other looked up can still know.
    await here!.owner(
      `delete from sessions where user_id = (select id from users where email = 'agent1@shared.example')`,
    )
    expect(await statusThere(cookie)).toBe(200)
    await expect.poll(() => statusThere(cookie), { interval: 200 }).toBe(401)
    await expect.poll(() => statusHere(cookie), { interval: 200 }).toBe(401)
  })

  test('a session that is ended is refused at once, whatever Redis still says of it', async () => {
    const { cookie, csrf } = await signIn('agent2')
    expect([await statusHere(cookie), await statusThere(cookie)]).toEqual([200, 200])
    expect(await kept()).toHaveLength(1)
    const out = await here!.app.inject({
      method: 'POST',
      url: '/api/v1/auth/logout/',
      headers: { cookie, 'x-csrf-token': csrf, origin: 'http://localhost:8000', host: 'localhost:8000' },
    })
    expect(out.statusCode, out.body).toBe(204)
    expect(await statusHere(cookie)).toBe(401)
    await expect.poll(() => statusThere(cookie), { interval: 20 }).toBe(401)
    // Control: what was looked up is still there, so it was not its absence that closed the door.
    expect(await kept()).toHaveLength(1)
  })

  test('without Redis everybody is let in as before, and who is not is not', async () => {
    const { cookie } = await signIn('agent4')
    await redis!.kill()
    expect([await statusHere(cookie), await statusThere(cookie), await statusThere('session=nonsense')]).toEqual([
      200, 200, 401,
    ])
    await redis!.start()
    expect(await statusThere(cookie)).toBe(200)
  })
})
