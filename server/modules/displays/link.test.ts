import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { startApp } from '../../test/app.ts'
import { useSigningKeys } from '../authentication/index.ts'

const server = await startApp()
const { app, as, owner } = server
const t = await server.aTenant({ slug: 'walls' })
const other = await server.aTenant({ slug: 'others' })
const base = await server.listen()
const [display] = (await owner<{ id: number }>(
  `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
  [t.tenant.id, t.sites[0]!.id],
)) as [{ id: number }]
const path = `/api/v1/tenants/walls/displays/${display.id}`
const link = async () => {
  const { url } = (await app.inject({ url: `${path}/link/`, headers: as(t.supervisor) })).json<{ url: string }>()
  return new URL(url).pathname + new URL(url).search
}
const rotate = (payload: object = {}, headers = as(t.supervisor)) =>
  app.inject({ method: 'POST', url: `${path}/rotate-link/`, headers, payload })
const accessWith = (address: string) => app.inject(address.replace('?', '/access?'))

test('a new link ends the old one, its tokens and its open screens at once', async () => {
  const old = await link()
  expect((await app.inject(old)).statusCode).toBe(200)
  const { access } = (await accessWith(old)).json<{ access: string }>()
  const board = () =>
    app.inject({ url: `/api/v1/displays/${display.id}/board/`, headers: { authorization: `Bearer ${access}` } })
  expect((await board()).statusCode).toBe(200)
  const socket = new WebSocket(`${base.replace('http', 'ws')}/ws/tenants/walls/displays/${display.id}/`, [
    'smartqueue.v1',
    `bearer.${access}`,
  ])
  await new Promise((resolve) => socket.once('message', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  expect((await rotate()).statusCode).toBe(200)
  expect(await closed).toBe(4401)
  expect((await board()).statusCode).toBe(401)
  expect([(await app.inject(old)).statusCode, (await accessWith(old)).statusCode]).toEqual([401, 401])
  // Control: the new one opens.
  const fresh = await link()
  expect(fresh).not.toBe(old)
  expect([(await app.inject(fresh)).statusCode, (await accessWith(fresh)).statusCode]).toEqual([200, 200])
})

test('a link made with a former key opens for as long as that key is configured', async () => {
  const old = await link()
  const present = server.config.secretKey
  const opens = async () => [(await app.inject(old)).statusCode, (await accessWith(old)).statusCode]
  try {
    useSigningKeys('k'.repeat(40), [present])
    expect(await opens()).toEqual([200, 200])
    useSigningKeys('k'.repeat(40))
    expect(await opens()).toEqual([401, 401])
  } finally {
    useSigningKeys(present)
  }
  expect(await opens()).toEqual([200, 200])
})

test('a link may end by itself', async () => {
  expect((await rotate({ expires_at: '2020-01-01T00:00:00Z' })).json()).toMatchObject({ status: 400 })
  expect((await rotate({ expires_at: '2999-01-01T00:00:00Z' })).json()).toMatchObject({
    expires_at: expect.stringMatching(/^2999/) as string,
  })
  const limited = await link()
  expect((await accessWith(limited)).json<{ expires_in: number }>().expires_in).toBe(600)
  await owner(`update displays set link_expires_at = now() + interval '60 seconds' where id = $1`, [display.id])
  expect((await accessWith(limited)).json<{ expires_in: number }>().expires_in).toBeLessThanOrEqual(60)
  await owner(`update displays set link_expires_at = now() where id = $1`, [display.id])
  expect((await accessWith(limited)).statusCode).toBe(401)
})

test('only managers of the display’s own organisation see or change its link', async () => {
  expect((await rotate({}, as(t.agentActors[0]!))).statusCode).toBe(403)
  expect((await rotate({}, as(other.admin))).statusCode).toBe(404)
  expect((await app.inject({ url: `${path}/link/`, headers: as(t.agentActors[0]!) })).statusCode).toBe(403)
})

test('who tries PINs waits longer each time, is seen on the floor, and gains nothing by trying many at once', async () => {
  const site = t.sites[0]!.id
  const [kiosk] = await owner<{ id: number }>(
    `insert into kiosks (tenant_id, site_id, name) values ($1, $2, 'Guessed') returning id`,
    [t.tenant.id, site],
  )
  const devices = await owner<{ id: number }>(
    `insert into devices (tenant_id, kind, site_id, name, kiosk_id)
     select $1, 'kiosk', $2, n, $3 from unnest(array['One', 'Two']) n returning id`,
    [t.tenant.id, site, kiosk!.id],
  )
  const ask = (pin: string, n = 0) =>
    app.inject({
      method: 'POST',
      url: '/api/v1/tenants/walls/kiosks/check-pin/',
      headers: as({ ...t.kiosk, principal: `device:${devices[n]!.id}` }),
      payload: { pin },
    })
  const set = (pin: string) =>
    app.inject({
      method: 'PUT',
      url: `/api/v1/tenants/walls/kiosks/${kiosk!.id}/pin/`,
      headers: as(t.supervisor),
      payload: { pin },
    })
  const guessed = async () => {
    const url = `/api/v1/tenants/walls/sites/${site}/floor/`
    const { devices: seen } = (await app.inject({ url, headers: as(t.supervisor) })).json()
    return (seen as { id: number; is_pin_guessed: boolean }[]).find(({ id }) => id === devices[0]!.id)!.is_pin_guessed
  }
  const told = () =>
    owner<{ n: number }>(
      `select (data ->> 'failures')::int as n from events where type = 'kiosk.pin_guessed' and tenant_id = $1 order by 1`,
      [t.tenant.id],
    )
  const later = () =>
    owner(`update kiosks set pin_locked_until = pin_locked_until - interval '1 hour' where id = $1`, [kiosk!.id])
  await set('4711')
  // Another machine of the same entry, and many at once, count together.
  const many = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(String(1000 + n), n % 2)))
  expect(many.filter(({ statusCode }) => statusCode === 200)).toHaveLength(5)
  expect([await guessed(), await told()]).toEqual([true, [{ n: 5 }]])
  // Nor is the right one looked at now.
  const refused = await ask('4711')
  expect([refused.statusCode, refused.json().code]).toEqual([429, 'rate_limited'])
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60)
  const waits: number[] = []
  for (let n = 0; n < 8; n++) {
    await later()
    expect((await ask('0000')).json()).toEqual({ is_right: false })
    waits.push(Math.ceil(Number((await ask('4711')).headers['retry-after']) / 60))
  }
  expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60])
  await later()
  expect((await ask('4711')).json()).toEqual({ is_right: true })
  expect(await guessed()).toBe(false)
  // A new PIN begins anew as well: whoever runs the place is not shut out by who guesses.
  for (let n = 0; n < 5; n++) await ask('0000')
  expect((await ask('4711')).statusCode).toBe(429)
  await set('4712')
  expect((await ask('4712')).json()).toEqual({ is_right: true })
})

test('the PIN of a machine’s staff page opens there alone and is told to nobody', async () => {
  const machine = async (name: string) => {
    const [kiosk] = await owner<{ id: number }>(
      `insert into kiosks (tenant_id, site_id, name) values ($1, $2, $3) returning id`,
      [t.tenant.id, t.sites[0]!.id, name],
    )
    const [device] = await owner<{ id: number }>(
      `insert into devices (tenant_id, kind, site_id, name, kiosk_id) values ($1, 'kiosk', $2, $3, $4) returning id`,
      [t.tenant.id, t.sites[0]!.id, name, kiosk!.id],
    )
    const actor = { ...t.kiosk, principal: `device:${device!.id}` }
    const ask = async (pin: string) => {
      const url = '/api/v1/tenants/walls/kiosks/check-pin/'
      return (await app.inject({ method: 'POST', url, headers: as(actor), payload: { pin } })).json()
    }
    return { id: kiosk!.id, ask }
  }
  const [here, there] = [await machine('Here'), await machine('There')]
  const set = (id: number, pin: string | null, actor = t.supervisor) =>
    app.inject({
      method: 'PUT',
      url: `/api/v1/tenants/walls/kiosks/${id}/pin/`,
      headers: as(actor),
      payload: { pin },
    })
  // Nothing opens a page without a PIN.
  expect(await here.ask('4711')).toEqual({ is_right: false })
  expect((await set(here.id, '4711')).json()).toEqual({ id: here.id, has_staff_pin: true })
  expect([await here.ask('4711'), await here.ask('4712'), await there.ask('4711')]).toEqual([
    { is_right: true },
    { is_right: false },
    { is_right: false },
  ])
  // Typed while the former key is known, it outlives that key.
  const present = server.config.secretKey
  const withKeys = (key: string, ...former: string[]) => {
    useSigningKeys(key, former)
    return here.ask('4711')
  }
  try {
    expect(await withKeys('k'.repeat(40))).toEqual({ is_right: false })
    expect(await withKeys('k'.repeat(40), present)).toEqual({ is_right: true })
    expect(await withKeys('k'.repeat(40))).toEqual({ is_right: true })
    expect(await withKeys(present, 'k'.repeat(40))).toEqual({ is_right: true })
  } finally {
    useSigningKeys(present)
  }
  for (const pin of ['123', '123456789', '12a4']) expect((await set(here.id, pin)).statusCode).toBe(400)
  expect((await set(here.id, '0000', t.agentActors[0])).statusCode).toBe(403)
  expect((await set(here.id, '0000', other.supervisor)).statusCode).toBe(404)
  const told = await owner<{ text: string }>(
    `select coalesce(string_agg(data::text, ''), '') || (select string_agg(k::text, '') from kiosks k) ||
       (select coalesce(string_agg(a::text, ''), '') from audit_entries a) as text
     from events where type = 'kiosk.updated'`,
  )
  expect(told[0]!.text).toContain('has_staff_pin')
  expect(told[0]!.text).not.toContain('4711')
  expect((await set(here.id, null)).json()).toMatchObject({ has_staff_pin: false })
  expect(await here.ask('4711')).toEqual({ is_right: false })
})
