import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Actor } from '../../kernel/access.ts'
import { startApp } from '../../test/app.ts'
import type { TenantFixture } from '../../test/factories.ts'

const server = await startApp()
let bank: TenantFixture
let other: TenantFixture
let base: string
beforeAll(async () => {
  bank = await server.aTenant({ sites: 2, queues: 1 })
  other = await server.aTenant()
  base = await server.listen()
})

interface Answer {
  status: number
  body: any
}
async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  who: Actor | string | null,
  payload?: object,
) {
  const headers: Record<string, string> =
    who === null ? {} : typeof who === 'string' ? { authorization: `Bearer ${who}` } : server.as(who)
  const { statusCode, body } = await server.app.inject({
    method,
    url: `/api/v1${url}`,
    headers,
    ...(payload && { payload }),
  })
  return { status: statusCode, body: body && JSON.parse(body) } as Answer
}
const inBank = (path: string) => `/tenants/${bank.tenant.slug}${path}`

async function pair(kind: 'kiosk' | 'display', more: object = {}) {
  const started = (await call('POST', '/devices/pairing/', null)).body
  const adopted = await call('POST', inBank('/devices/pair/'), bank.supervisor, {
    code: started.code,
    kind,
    site_id: bank.sites[0]!.id,
    name: 'Entrance',
    ...more,
  })
  expect(adopted.status).toBe(201)
  const polled = (await call('POST', '/devices/pairing/poll/', null, { secret: started.secret })).body
  return { ...polled, code: started.code, secret: started.secret } as {
    token: string
    device: { id: number }
    code: string
    secret: string
  }
}
const take = (token: string, queue = 0) =>
  call('POST', inBank('/tickets/'), token, { queue_id: bank.queues[queue]!.id, channel: 'kiosk' })

describe('pairing', () => {
  test('code, staff, token: a kiosk takes a ticket with what it was given', async () => {
    const started = await call('POST', '/devices/pairing/', null)
    expect(started.status).toBe(201)
    expect(started.body.code).toMatch(/^[ACDEFGHJKMNPRTVWXY34679]{6}$/)
    const ask = () => call('POST', '/devices/pairing/poll/', null, { secret: started.body.secret })
    expect((await ask()).body).toEqual({ status: 'waiting', token: null, tenant: null, device: null })
    const written = ` ${started.body.code.slice(0, 3).toLowerCase()}-${started.body.code.slice(3)}`
    const adopted = await call('POST', inBank('/devices/pair/'), bank.supervisor, {
      code: written,
      kind: 'kiosk',
      site_id: bank.sites[0]!.id,
      name: 'Entrance',
    })
    expect(adopted).toMatchObject({
      status: 201,
      body: { kind: 'kiosk', is_locked: false, paired_by: bank.supervisor.userId },
    })
    const { body } = await ask()
    expect(body).toMatchObject({ status: 'paired', tenant: bank.tenant.slug, device: { id: adopted.body.id } })
    expect(body.token).toMatch(/^sd_[0-9a-z]+_[0-9A-Za-z]{32}$/)
    expect((await take(body.token)).status).toBe(201)
    // Delivered once, and stored nowhere.
    expect((await ask()).body.code).toBe('pairing_code_invalid')
    const [stored] = await server.owner<{ text: string }>('select d::text as text from devices d where id = $1', [
      adopted.body.id,
    ])
    expect(stored!.text).not.toContain(body.token.slice(-20))
  })

  test('a code works once, also for sixteen who type it at once', async () => {
    const { body } = await call('POST', '/devices/pairing/', null)
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        call('POST', inBank('/devices/pair/'), bank.admin, {
          code: body.code,
          kind: 'kiosk',
          site_id: bank.sites[0]!.id,
          name: 'X',
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(new Set(answers.filter(({ status }) => status !== 201).map((answer) => answer.body.code))).toEqual(
      new Set(['pairing_code_invalid']),
    )
  })

  test('an expired code, a wrong one, a foreign site and a foreign display open nothing', async () => {
    const { body } = await call('POST', '/devices/pairing/', null)
    const attempt = (input: object) =>
      call('POST', inBank('/devices/pair/'), bank.admin, {
        code: body.code,
        kind: 'kiosk',
        site_id: bank.sites[0]!.id,
        name: 'X',
        ...input,
      })
    expect((await attempt({ code: 'AAAAAA' })).body.code).toBe('pairing_code_invalid')
    expect((await attempt({ site_id: other.sites[0]!.id })).body.code).toBe('not_found')
    expect((await attempt({ kind: 'display', display_id: 999 })).body.code).toBe('not_found')
    expect((await attempt({ display_id: 1 })).body.code).toBe('invalid_input')
    await server.owner(`update device_pairings set expires_at = now() - interval '1 second' where code = $1`, [
      body.code,
    ])
    expect((await attempt({})).body.code).toBe('pairing_code_invalid')
    expect((await call('POST', '/devices/pairing/poll/', null, { secret: body.secret })).status).toBe(404)
  })

  test('only staff who may write displays can adopt', async () => {
    const { body } = await call('POST', '/devices/pairing/', null)
    for (const actor of [bank.agentActors[0]!, bank.kiosk, bank.display]) {
      const input = { code: body.code, kind: 'kiosk', site_id: bank.sites[0]!.id, name: 'X' }
      expect((await call('POST', inBank('/devices/pair/'), actor, input)).status).toBe(403)
    }
  })
})

describe('a paired device', () => {
  test('tells how it is and is listed as online', async () => {
    const { token, device } = await pair('kiosk')
    const beat = await call('POST', inBank('/devices/heartbeat/'), token, { battery_percent: 12, paper: 'low' })
    expect(beat).toMatchObject({ status: 200, body: { id: device.id, is_online: true } })
    const listed = await call('GET', inBank(`/devices/?site=${bank.sites[0]!.id}&kind=kiosk`), bank.supervisor)
    expect(listed.body.results.find(({ id }: { id: number }) => id === device.id).report).toEqual({
      battery_percent: 12,
      paper: 'low',
    })
  })

  test('locked it is refused and says so; unlocked it works again', async () => {
    const { token, device } = await pair('kiosk')
    expect((await take(token)).status).toBe(201)
    await call('PATCH', inBank(`/devices/${device.id}/`), bank.supervisor, { is_locked: true })
    // The old state of the row is ended at once; the new one is read within five seconds.
    expect([401, 403]).toContain((await take(token)).status)
    await until(
      async () => (await call('POST', inBank('/devices/heartbeat/'), token, {})).body.code === 'device_locked',
    )
    await call('PATCH', inBank(`/devices/${device.id}/`), bank.supervisor, { is_locked: false })
    await until(async () => (await take(token)).status === 201)
  })

  test('revoked it is refused at once, and its socket is cut', async () => {
    const display = await call('POST', inBank('/displays/'), bank.supervisor, {
      site_id: bank.sites[0]!.id,
      name: 'Hall',
    })
    const { token, device } = await pair('display', { display_id: display.body.id })
    const socket = new WebSocket(
      `${base.replace('http', 'ws')}/ws/tenants/${bank.tenant.slug}/displays/${display.body.id}/`,
      ['smartqueue.v1', `bearer.${token}`],
    )
    const frames: string[] = []
    socket.on('message', (data) => frames.push(String(data)))
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    await until(async () => frames.length > 0)
    expect((await call('DELETE', inBank(`/devices/${device.id}/`), bank.supervisor)).status).toBe(204)
    expect(await closed).toBe(4401)
    expect((await call('GET', inBank(`/displays/${display.body.id}/board/`), token)).status).toBe(401)
  })

  test('a tenant’s token opens nothing of another tenant', async () => {
    const { token } = await pair('kiosk')
    expect((await call('GET', `/tenants/${other.tenant.slug}/queues/`, token)).status).toBe(404)
    const forged = token.replace(/^sd_[0-9a-z]+_/, `sd_${other.tenant.id.toString(36)}_`)
    expect((await call('GET', `/tenants/${other.tenant.slug}/queues/`, forged)).status).toBe(401)
  })
})

describe('API keys', () => {
  const create = (input: object) => call('POST', inBank('/api-keys/'), bank.admin, { name: 'Website', ...input })

  test('shown once, hashed at rest, limited to their scopes, seen when used', async () => {
    const created = await create({ scopes: ['read:queue', 'write:ticket'] })
    expect(created.status).toBe(201)
    const { key, id, prefix } = created.body
    expect(key).toMatch(/^sk_live_[0-9a-z]+_[0-9A-Za-z]{32}$/)
    expect(key.startsWith(prefix)).toBe(true)
    expect((await call('GET', inBank('/queues/'), key)).status).toBe(200)
    expect((await take(key)).status).toBe(201)
    const listed = (await call('GET', '/auth/api-keys/', bank.admin)).body.results
    expect(JSON.stringify(listed)).not.toContain(key)
    await until(
      async () =>
        (await call('GET', inBank('/api-keys/'), bank.admin)).body.results.find(
          (each: { id: number }) => each.id === id,
        ).last_used_at !== null,
    )
    expect((await call('GET', inBank('/customers/'), key)).status).toBe(403)
    const [stored] = await server.owner<{ text: string }>('select k::text as text from api_keys k where id = $1', [id])
    expect(stored!.text).not.toContain(key.slice(-20))
  })

  test('revoked within five seconds, expired when it says, and never able to make another', async () => {
    const { key, id } = (await create({ scopes: ['read:queue', 'admin:tenant'] })).body
    expect((await call('GET', inBank('/queues/'), key)).status).toBe(200)
    expect((await call('POST', inBank('/api-keys/'), key, { name: 'child', scopes: ['read:queue'] })).status).toBe(403)
    expect((await call('DELETE', inBank(`/api-keys/${id}/`), bank.admin)).status).toBe(204)
    expect((await call('GET', inBank('/queues/'), key)).status).toBe(401)

    const [soon] = await server.owner<{ at: string }>(`select now() + interval '1200 milliseconds' as at`)
    const short = (await create({ scopes: ['read:queue'], expires_at: soon!.at })).body.key
    expect((await call('GET', inBank('/queues/'), short)).status).toBe(200)
    await until(async () => (await call('GET', inBank('/queues/'), short)).body.code === 'token_expired')
    expect((await create({ scopes: ['read:queue'], expires_at: '2020-01-01T00:00:00Z' })).status).toBe(400)
  })

  test('a test key reads only', async () => {
    expect((await create({ mode: 'test', scopes: ['write:ticket'] })).status).toBe(400)
    const { key } = (await create({ mode: 'test', scopes: ['read:queue'] })).body
    expect(key).toMatch(/^sk_test_/)
    expect((await call('GET', inBank('/queues/'), key)).status).toBe(200)
  })

  test('the use of a key is written once a minute, not once a request', async () => {
    const { key, id } = (await create({ scopes: ['read:queue'] })).body
    const used = async () =>
      (await server.owner<{ at: string }>('select last_used_at::text as at from api_keys where id = $1', [id]))[0]!.at
    await call('GET', inBank('/queues/'), key)
    await until(async () => (await used()) !== null)
    const first = await used()
    for (let i = 0; i < 20; i++) await call('GET', inBank('/queues/'), key)
    await delay(50)
    expect(await used()).toBe(first)
  })
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return
    await delay(50)
  }
  throw new Error('it did not come to pass')
}
