import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { startApp } from '../../test/app.ts'

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
