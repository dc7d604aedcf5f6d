import { beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Actor } from '../../kernel/access.ts'
import { startApp } from '../../test/app.ts'
import type { TenantFixture } from '../../test/factories.ts'
import { operations } from '../index.ts'
import { unknownReferences } from './index.ts'
import { quickHash } from '../../test/password.ts'

const server = await startApp()
let bank: TenantFixture
let here: { site: number; queues: number[] }
let there: { site: number; queues: number[] }
let base: string
const PASSWORD = 'trois petits chats'

beforeAll(async () => {
  bank = await server.aTenant({ sites: 2, queues: 2, agents: 1 })
  const placeOf = (n: number) => ({
    site: bank.sites[n]!.id,
    queues: bank.queues.filter(({ site_id }) => site_id === bank.sites[n]!.id).map(({ id }) => id),
  })
  here = placeOf(0)
  there = placeOf(1)
  base = await server.listen()
})

const call = async (
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  actor: Actor | string,
  payload?: object,
) => {
  const headers: Record<string, string> =
    typeof actor === 'string' ? { authorization: `Bearer ${actor}` } : server.as(actor)
  const { statusCode, body } = await server.app.inject({
    method,
    url: `/api/v1/tenants/${bank.tenant.slug}${path}`,
    headers,
    ...(payload && { payload }),
  })
  return { status: statusCode, body: JSON.parse(body) as any }
}
const take = (queue: number, actor: Actor | string) =>
  call('POST', '/tickets/', actor, { queue_id: queue, channel: 'kiosk' })

/** A service that is offered at the other site alone. */
async function aServiceThere(code: string): Promise<{ id: number }> {
  const [service] = await server.owner<{ id: number }>(
    'insert into services (tenant_id, name, code) values ($1, $2, $2) returning id',
    [bank.tenant.id, code],
  )
  await server.owner(
    'insert into queues (tenant_id, site_id, service_id, name, number_prefix) values ($1, $2, $3, $4, $4)',
    [bank.tenant.id, there.site, service!.id, code],
  )
  return service!
}

test('every reference of every input is known, so none escapes the guard', () => {
  expect(unknownReferences(operations)).toEqual([])
  const planted = { ...operations[0]!, id: 'x.y', input: { properties: { gate_id: { type: 'integer' } } } }
  expect(unknownReferences([planted as (typeof operations)[number]])).toEqual(['x.y.gate_id'])
})

describe('a supervisor of one site', () => {
  let actor: string
  beforeAll(async () => {
    const { supervisor } = bank
    const [user] = await server.owner<{ email: string }>(
      `with m as (update memberships set site_ids = $2 where user_id = $1)
       update users set password_hash = $3 where id = $1 returning email`,
      [supervisor.userId, [here.site], quickHash(PASSWORD)],
    )
    const { body } = await server.app.inject({
      method: 'POST',
      url: '/api/v1/auth/token/',
      payload: { email: user!.email, password: PASSWORD },
    })
    actor = JSON.parse(body).access
    expect(body).not.toContain('site_ids')
  })

  test('gets the limit into the token and works inside it', async () => {
    expect((await take(here.queues[0]!, actor)).status).toBe(201)
    expect((await call('PATCH', `/queues/${here.queues[0]}/`, actor, { max_capacity: 40 })).status).toBe(200)
  })

  test('finds nothing of the other site, whatever names it', async () => {
    const ticket = (await take(there.queues[0]!, bank.admin)).body
    const [agent] = bank.agents.filter(({ site_id }) => site_id === there.site)
    const [counter] = bank.counters.filter(({ site_id }) => site_id === there.site)
    const attempts: [string, Promise<{ status: number; body: any }>][] = [
      ['take', take(there.queues[0]!, actor)],
      ['queue', call('GET', `/queues/${there.queues[0]}/`, actor)],
      ['board', call('GET', `/queues/${there.queues[0]}/board/`, actor)],
      ['queue update', call('PATCH', `/queues/${there.queues[0]}/`, actor, { name: 'mine' })],
      ['ticket', call('GET', `/tickets/${ticket.id}/`, actor)],
      ['ticket events', call('GET', `/tickets/${ticket.id}/events/`, actor)],
      ['cancel', call('POST', `/tickets/${ticket.id}/cancel/`, actor, {})],
      ['call next', call('POST', `/agents/${agent!.id}/call-next/`, actor)],
      ['agent', call('GET', `/agents/${agent!.id}/`, actor)],
      ['counter', call('GET', `/counters/${counter!.id}/`, actor)],
      ['site', call('GET', `/sites/${there.site}/`, actor)],
      ['list of its tickets', call('GET', `/tickets/?site=${there.site}`, actor)],
      ['list of its queue', call('GET', `/tickets/?queue=${there.queues[0]}`, actor)],
      ['display', call('POST', '/displays/', actor, { site_id: there.site, name: 'x' })],
    ]
    for (const [name, attempt] of attempts) {
      const { status, body } = await attempt
      expect([name, status, body.code]).toEqual([name, 404, 'not_found'])
    }
    // Nothing was changed, and the administrator can do all of it.
    expect((await call('GET', `/tickets/${ticket.id}/`, bank.admin)).body.status).toBe('en_attente')
  })

  test('a list without a place is a list of the own one', async () => {
    const { body } = await call('GET', '/queues/', actor)
    expect(body.results.map(({ id }: { id: number }) => id).toSorted()).toEqual(here.queues.toSorted())
    const tickets = (await call('GET', '/tickets/', actor)).body.results
    expect(tickets.every(({ site_id }: { site_id: number }) => site_id === here.site)).toBe(true)
  })

  test('sees the sites, services and customers of the own one alone', async () => {
    const elsewhere = await aServiceThere('ZZ')
    const customer = async (name: string) => (await call('POST', '/customers/', bank.admin, { name })).body.id as number
    const [new_, ours, theirs] = [await customer('New'), await customer('Ours'), await customer('Theirs')]
    for (const [queue, customer_id] of [
      [here.queues[0]!, ours],
      [there.queues[0]!, theirs],
    ])
      await call('POST', '/tickets/', bank.admin, { queue_id: queue, channel: 'reception', customer_id })
    const ids = async (noun: string, who: Actor | string) =>
      (await call('GET', `/${noun}/?limit=200`, who)).body.results.map(({ id }: { id: number }) => id) as number[]
    expect(await ids('sites', actor)).toEqual([here.site])
    expect(await ids('services', actor)).not.toContain(elsewhere.id)
    const customers = await ids('customers', actor)
    expect([new_, ours, theirs].map((id) => customers.includes(id))).toEqual([true, true, false])
    for (const path of [`/services/${elsewhere.id}/`, `/customers/${theirs}/`]) {
      expect((await call('GET', path, actor)).body.code).toBe('not_found')
      // Control: it is there.
      expect((await call('GET', path, bank.admin)).status).toBe(200)
    }
    expect(await ids('sites', bank.admin)).toEqual(expect.arrayContaining([here.site, there.site]))
    expect(await ids('customers', bank.admin)).toContain(theirs)
    const ofQueue = { ...bank.agentActors[0]!, queueIds: [here.queues[0]!] }
    expect([await ids('sites', ofQueue), (await ids('services', ofQueue)).length]).toEqual([[here.site], 1])
  })

  test('reads, changes, hands out and forgets nobody who was elsewhere alone, and nobody halfway', async () => {
    const visited = async (name: string, ...queues: number[]) => {
      const customer_id = (await call('POST', '/customers/', bank.admin, { name })).body.id as number
      for (const queue_id of queues) {
        const { id } = (await call('POST', '/tickets/', bank.admin, { queue_id, channel: 'reception', customer_id }))
          .body
        await call('POST', `/tickets/${id}/cancel/`, bank.admin, {})
      }
      return customer_id
    }
    const [theirs, ours, both] = [
      await visited('Elsewhere Alone', there.queues[0]!),
      await visited('Here Alone', here.queues[0]!),
      await visited('Here and Elsewhere', here.queues[0]!, there.queues[0]!),
    ]
    const at = (id: number) => `/customers/${id}/`
    const planted = { queue_id: here.queues[0], channel: 'reception', customer_id: theirs }
    const ofQueue = { ...bank.supervisor, queueIds: [here.queues[0]!] }
    for (const who of [actor, ofQueue])
      for (const [method, path, payload] of [
        ['PATCH', at(theirs), { note: 'x' }],
        ['DELETE', at(theirs)],
        ['POST', `${at(theirs)}export/`, {}],
        ['GET', `${at(theirs)}consents/`],
        ['POST', `${at(theirs)}erase/`, {}],
        // Nor do they become somebody who has been here.
        ['POST', '/tickets/', planted],
      ] as const)
        expect([method, path, (await call(method, path, who, payload)).body.code]).toEqual([method, path, 'not_found'])
    const found = async (who: Actor | string) =>
      (await call('GET', '/privacy/persons/?name=Alone', who)).body.persons.map(
        ({ customer_id }: { customer_id: number }) => customer_id,
      )
    expect([await found(actor), await found(bank.admin)]).toEqual([[ours], [theirs, ours]])
    for (const verb of ['export', 'erase'])
      expect((await call('POST', `${at(both)}${verb}/`, actor, {})).body.code).toBe('forbidden')
    expect((await call('PATCH', at(both), actor, { note: 'seen' })).status).toBe(200)
    // Visits of somebody are those of the own place.
    const visits = async (who: Actor | string) =>
      (await call('GET', `/tickets/?customer=${both}`, who)).body.results.map(
        ({ site_id }: { site_id: number }) => site_id,
      )
    expect([await visits(actor), (await visits(bank.admin)).length]).toEqual([[here.site], 2])
    expect((await call('POST', `${at(ours)}export/`, actor, {})).status).toBe(200)
    expect((await call('POST', `${at(ours)}erase/`, actor, {})).body).toEqual({ tickets: 1 })
    expect((await call('POST', `${at(theirs)}erase/`, bank.admin, {})).body).toEqual({ tickets: 1 })
  })

  test('follows no feed of the other site', async () => {
    const open = (queue: number) =>
      new Promise<number | 'open'>((resolve) => {
        const socket = new WebSocket(`${base.replace('http', 'ws')}/ws/tenants/${bank.tenant.slug}/queues/${queue}/`, [
          'smartqueue.v1',
          `bearer.${actor}`,
        ])
        socket.on('message', () => {
          resolve('open')
          socket.close()
        })
        socket.on('close', resolve)
      })
    expect(await open(here.queues[0]!)).toBe('open')
    expect(await open(there.queues[0]!)).toBe(4404)
  })
})

describe('limited to queues', () => {
  const limited = (queueIds: number[]): Actor => ({ ...bank.agentActors[0]!, queueIds })

  test('an agent of two queues must say which, and sees no third', async () => {
    const one = limited([here.queues[0]!])
    expect((await take(here.queues[0]!, one)).status).toBe(201)
    expect((await take(here.queues[1]!, one)).status).toBe(404)
    expect(
      (await call('GET', `/tickets/?site=${here.site}`, one)).body.results.map((t: { queue_id: number }) => t.queue_id),
    ).not.toContain(here.queues[1])
    const two = limited(here.queues)
    const refusal = await call('GET', '/tickets/', two)
    expect([refusal.status, refusal.body.errors?.[0]?.path]).toEqual([400, '/queue'])
    expect((await call('GET', `/tickets/?queue=${here.queues[1]}`, two)).status).toBe(200)
  })

  test('but may send a person on to a queue of the site that others serve', async () => {
    const one = limited([here.queues[0]!])
    const ticket = (await take(here.queues[0]!, one)).body
    const moved = await call('POST', `/tickets/${ticket.id}/transfer/`, one, { queue_id: here.queues[1] })
    expect([moved.status, moved.body.queue_id]).toEqual([200, here.queues[1]])
    expect((await call('GET', `/tickets/${ticket.id}/`, one)).status).toBe(404)
  })

  test('reaches nothing at a site without one of them, writes to those who wait in them, and has no report of a site', async () => {
    const one = { ...bank.supervisor, queueIds: [here.queues[0]!] }
    const at = (list: { id: number; site_id: number }[], site: number) => list.find((row) => row.site_id === site)!.id
    for (const [site, status] of [
      [there.site, 404],
      [here.site, 200],
    ] as const)
      for (const path of [
        `/sites/${site}/`,
        `/agents/${at(bank.agents, site)}/`,
        `/counters/${at(bank.counters, site)}/`,
        `/counters/?site=${site}`,
      ])
        expect([path, (await call('GET', path, one)).status]).toEqual([path, status])
    const aside = (await take(here.queues[1]!, bank.admin)).body.id as number
    const line = (await call('GET', `/tickets/?queue=${here.queues[0]}&status=waiting`, one)).body.results.length
    const said = await call('POST', `/sites/${here.site}/messages/`, one, { text: { en: 'Soon' } })
    expect(said.body).toEqual({ tickets: line })
    expect(await server.owner('select from messages where ticket_id = $1', [aside])).toEqual([])
    for (const path of ['floor', 'replay'])
      expect([path, (await call('GET', `/sites/${here.site}/${path}/`, one)).body.code]).toEqual([path, 'forbidden'])
    expect((await call('POST', '/tickets/close-day/', one, { site_id: here.site })).body.code).toBe('forbidden')
    expect((await call('GET', `/sites/${here.site}/replay/`, bank.supervisor)).status).toBe(200)
    const report = { name: 'Week', frequency: 'weekly', recipients: ['me@bank.example'], site_id: here.site }
    expect((await call('POST', '/scheduled-reports/', one, report)).body.code).toBe('forbidden')
  })

  test('no list shows what stands elsewhere, named or not', async () => {
    const one = { ...bank.supervisor, queueIds: [here.queues[0]!] }
    for (const site_id of [here.site, there.site]) {
      for (const noun of ['displays', 'kiosks']) await call('POST', `/${noun}/`, bank.admin, { site_id, name: 'X' })
      await server.owner(`insert into devices (tenant_id, kind, site_id, name) values ($1, 'kiosk', $2, 'X')`, [
        bank.tenant.id,
        site_id,
      ])
      await call('POST', '/ar-markers/', bank.admin, {
        site_id,
        name: 'X',
        kind: 'entrance',
        latitude: 45,
        longitude: 4,
      })
    }
    for (const queue_id of [here.queues[0]!, here.queues[1]!, there.queues[0]!])
      await call('POST', '/queue-rules/', bank.admin, {
        queue_id,
        name: 'X',
        condition: {},
        effect: { priority: 1 },
        position: 9,
      })
    const placesIn = async (noun: string, who: Actor) => {
      const { results } = (await call('GET', `/${noun}/?limit=200`, who)).body
      return [
        ...new Set(results.map((row: Record<string, number>) => row[noun === 'queue-rules' ? 'queue_id' : 'site_id'])),
      ]
    }
    for (const noun of ['counters', 'agents', 'displays', 'kiosks', 'devices', 'ar-markers']) {
      expect([noun, await placesIn(noun, one)]).toEqual([noun, [here.site]])
      // Control: there is something elsewhere.
      expect([noun, await placesIn(noun, bank.supervisor)]).toEqual([noun, expect.arrayContaining([there.site])])
    }
    expect(await placesIn('queue-rules', one)).toEqual([here.queues[0]])
    const { results } = (await call('GET', '/queues/', one)).body
    expect(results.map(({ id }: { id: number }) => id)).toEqual([here.queues[0]])
  })

  test('calls nobody of other queues, through no agent of the site, and gives no agent what is beyond', async () => {
    const own = here.queues[0]!
    const [theirs] = await server.owner<{ id: number }>(
      `with s as (insert into services (tenant_id, name, code) values ($1, 'Beyond', 'BY') returning id)
       insert into queues (tenant_id, site_id, service_id, name, number_prefix) select $1, $2, id, 'Beyond', 'BY' from s returning id`,
      [bank.tenant.id, here.site],
    )
    const one: Actor = { ...bank.supervisor, queueIds: [own] }
    const made = await call('POST', '/agents/', bank.admin, {
      site_id: here.site,
      name: 'Samir',
      counter_id: (await call('POST', '/counters/', bank.admin, { site_id: here.site, name: 'Z9' })).body.id,
      queues: [{ queue_id: theirs!.id }],
    })
    const agent = `/agents/${made.body.id}`
    await call('POST', `${agent}/set-status/`, bank.admin, { status: 'available' })
    const secret = (await take(theirs!.id, bank.admin)).body
    expect((await call('POST', `${agent}/call-next/`, one)).body.code).toBe('agent_does_not_serve_queue')
    // One that is kept for the agent, and one of a queue among others, neither.
    await call('PATCH', `${agent}/`, bank.admin, { queues: [{ queue_id: theirs!.id }, { queue_id: own }] })
    for (const { id } of (await call('GET', `/tickets/?queue=${own}&status=waiting`, bank.admin)).body.results)
      await call('POST', `/tickets/${id}/cancel/`, bank.admin, {})
    for (const verb of ['call-next', 'next'])
      expect((await call('POST', `${agent}/${verb}/`, one, verb === 'next' ? {} : undefined)).body.ticket).toBeNull()
    const kept = await take(theirs!.id, bank.admin)
    await call('POST', `/tickets/${kept.body.id}/transfer/`, bank.admin, { agent_id: made.body.id })
    expect((await call('POST', `${agent}/call-next/`, one)).body.ticket).toBeNull()
    const mine = (await take(own, bank.admin)).body
    expect((await call('POST', `${agent}/call-next/`, one)).body.ticket.id).toBe(mine.id)
    // Nor is a desk watched that shows them; one of the own queue is.
    const [desk] = bank.agents.filter(({ site_id }) => site_id === here.site)
    await call('PATCH', `/agents/${desk!.id}/`, bank.admin, { queues: [{ queue_id: own }] })
    for (const path of ['board', 'stats']) {
      expect([path, (await call('GET', `${agent}/${path}/`, one)).body.code]).toEqual([path, 'not_found'])
      expect([path, (await call('GET', `/agents/${desk!.id}/${path}/`, one)).status]).toEqual([path, 200])
      expect([path, (await call('GET', `${agent}/${path}/`, bank.supervisor)).status]).toEqual([path, 200])
    }
    // Neither given nor taken away: what is beyond stays as it is.
    const serves = async (path: string, queues: number[]) => {
      const { status, body } = await call('PATCH', path, one, { queues: queues.map((queue_id) => ({ queue_id })) })
      return status === 200 ? 200 : body.errors[0].path
    }
    expect(await serves(`${agent}/`, [own])).toBe('/queues')
    expect(await serves(`${agent}/`, [theirs!.id])).toBe(200)
    expect(await serves(`${agent}/`, [own, theirs!.id])).toBe(200)
    const aside = { site_id: here.site, name: 'Aside', queues: [{ queue_id: theirs!.id }] }
    for (const noun of ['agents', 'work-profiles'])
      expect((await call('POST', `/${noun}/`, one, aside)).body.errors[0].path).toBe('/queues/0/queue_id')
    // Control: whoever is not limited calls them all.
    const ids = [secret.id, kept.body.id]
    const then = await call('POST', `${agent}/next/`, bank.supervisor, { ticket_id: mine.id })
    expect(ids).toContain(then.body.ticket.id)
  })

  test('in one batch each is judged alone', async () => {
    const one = limited([here.queues[0]!])
    const answers = await Promise.all([
      take(here.queues[0]!, one),
      take(here.queues[1]!, one),
      take(here.queues[1]!, bank.admin),
      take(there.queues[0]!, one),
      take(there.queues[0]!, bank.kiosk),
    ])
    expect(answers.map(({ status }) => status)).toEqual([201, 404, 201, 404, 201])
  })
})

describe('an administrator of one site', () => {
  const limited = (): Actor => ({ ...bank.admin, siteIds: [here.site] })
  let person: number
  beforeAll(async () => {
    const input = { email: 'other@bank.example', name: 'Other', role: 'agent' }
    person = (await call('POST', '/users/', bank.admin, input)).body.id
  })
  const people = (id: number | null) => `/users/${id}/`

  test('does not lift the own limits, nor give or take what is beyond them', async () => {
    const refused: [method: 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object][] = [
      ['PATCH', people(bank.admin.userId), { site_ids: null }],
      ['PATCH', people(bank.admin.userId), { site_ids: [here.site, there.site] }],
      ['PATCH', people(person), { site_ids: [here.site] }],
      ['PATCH', people(person), { role: 'admin' }],
      ['DELETE', people(person)],
      ['POST', '/users/', { email: 'new@bank.example', name: 'New', role: 'admin' }],
      ['POST', '/users/', { email: 'new@bank.example', name: 'New', role: 'agent', site_ids: [there.site] }],
      ['POST', '/invitations/', { email: 'new@bank.example', role: 'admin' }],
      ['POST', '/api-keys/', { name: 'All', scopes: ['read:ticket'] }],
      ['PATCH', '/', { name: 'Mine' }],
      ['DELETE', '/sso/'],
    ]
    for (const [method, path, payload] of refused) {
      const { status, body } = await call(method, path, limited(), payload)
      expect([method, path, payload, status, body.code]).toEqual([method, path, payload, 403, 'forbidden'])
    }
  })

  test('has no part in what is of all sites: services of others, tables that others brought, the trail', async () => {
    const service = await aServiceThere('YY')
    const table = {
      kind: 'customers',
      format: 'csv',
      content: Buffer.from('name,phone\nSamira,+33612345699\n').toString('base64'),
    }
    const theirs = (await call('POST', '/imports/', bank.admin, table)).body.id
    await server.owner(`update imports set requested_by = 'user:0' where id = $1`, [theirs])
    const own = (await call('POST', '/imports/', limited(), table)).body.id
    const refused: [method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object][] = [
      ['PATCH', `/services/${service.id}/`, { name: 'mine' }],
      ['DELETE', `/services/${service.id}/`],
      ['GET', `/imports/${theirs}/`],
      ['GET', `/imports/${theirs}/rows/`],
      ['POST', `/imports/${theirs}/run/`],
    ]
    for (const [method, path, payload] of refused)
      expect([path, (await call(method, path, limited(), payload)).body.code]).toEqual([path, 'not_found'])
    const seen = async (who: Actor) =>
      (await call('GET', '/imports/', who)).body.results.map(({ id }: { id: number }) => id)
    expect([await seen(limited()), await seen(bank.admin)]).toEqual([[own], [own, theirs]])
    expect((await call('GET', `/imports/${own}/rows/`, limited())).body.results).toHaveLength(1)
    for (const path of ['/audit/', '/audit/export/'])
      expect([path, (await call('GET', path, limited())).body.code]).toEqual([path, 'forbidden'])
    expect((await call('GET', '/audit/', bank.admin)).status).toBe(200)
  })

  test('changes nothing that other sites say, show or offer, and reads no log of all', async () => {
    const shown = async (name: string, site?: number) => {
      const { id } = (await call('POST', '/playlists/', limited(), { name })).body
      if (site) await call('POST', '/displays/', bank.admin, { site_id: site, name, playlist_id: id })
      return `/playlists/${id}/`
    }
    const picture = async (playlist: string) => {
      const { id } = (await call('POST', '/media/', limited(), { kind: 'image', name: 'P' })).body
      await call('PATCH', playlist, bank.admin, { items: { list: [{ media_id: id, seconds: 5 }] } })
      return `/media/${id}/`
    }
    const walls = [await shown('Nowhere'), await shown('Here', here.site), await shown('There', there.site)]
    const pictures = [await picture(walls[0]!), await picture(walls[1]!), await picture(walls[2]!)]
    const logo = (await call('POST', '/media/', bank.admin, { kind: 'image', name: 'Logo' })).body.id as number
    await server.owner('update tenants set logo_media_id = $2 where id = $1', [bank.tenant.id, logo])
    const template = { event: 'called', channel: 'sms', language: 'fr', body: '{number}' }
    const theirs = (await call('POST', '/templates/', bank.admin, template)).body.id
    const [both] = await server.owner<{ id: number }>(
      `with s as (insert into services (tenant_id, name, code) values ($1, 'Both', 'BO') returning id),
         q as (insert into queues (tenant_id, site_id, service_id, name, number_prefix)
               select $1, site, id, 'Both', 'BO' from s, unnest($2::bigint[]) as site)
       select id from s`,
      [bank.tenant.id, [here.site, there.site]],
    )
    const refused: [method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, payload?: object][] = [
      ['POST', '/templates/', { ...template, language: 'en' }],
      ['PATCH', `/templates/${theirs}/`, { body: 'Pay {number}' }],
      ['DELETE', `/templates/${theirs}/`],
      ['PUT', '/message-prices/sms/', { price_micros: 1, currency: 'EUR' }],
      ['PUT', '/voice-clips/fr/1/', { audio: 'A'.repeat(400) }],
      ['DELETE', '/voice-clips/fr/1/'],
      ['PATCH', walls[2]!, { name: 'Mine' }],
      ['DELETE', walls[2]!],
      ['PATCH', pictures[2]!, { name: 'Mine' }],
      ['DELETE', pictures[2]!],
      ['DELETE', `/media/${logo}/`],
      ['PATCH', `/services/${both!.id}/`, { is_active: false }],
      ['DELETE', `/services/${both!.id}/`],
      ['POST', '/sites/', { name: 'Annexe', slug: 'annexe' }],
      ['POST', `/sites/${here.site}/copy/`, { name: 'Annexe' }],
      ['GET', '/requests/'],
      ['GET', '/api-keys/'],
    ]
    for (const [method, path, payload] of refused)
      for (const [who, code] of [
        [limited(), 'forbidden'],
        // Who is limited to another queue does not see the service at all.
        [{ ...bank.admin, queueIds: [here.queues[0]!] }, path.startsWith('/services/') ? 'not_found' : 'forbidden'],
      ] as const)
        expect([method, path, (await call(method, path, who, payload)).body.code]).toEqual([method, path, code])
    // What is used at the own site alone, or nowhere yet, is theirs.
    for (const path of [walls[0]!, walls[1]!, pictures[0]!, pictures[1]!])
      expect([path, (await call('PATCH', path, limited(), { name: 'Mine' })).status]).toEqual([path, 200])
    // Control: whoever has all sites does all of it.
    expect((await call('PATCH', `/services/${both!.id}/`, bank.admin, { is_active: false })).status).toBe(200)
    expect((await call('PATCH', walls[2]!, bank.admin, { name: 'Ours' })).status).toBe(200)
    expect((await call('PATCH', `/templates/${theirs}/`, bank.admin, { body: 'x {number}' })).status).toBe(200)
  })

  test('manages the people of the own site', async () => {
    const input = { email: 'here@bank.example', name: 'Here', role: 'agent', site_ids: [here.site] }
    const { status, body } = await call('POST', '/users/', limited(), input)
    expect(status).toBe(201)
    expect((await call('PATCH', people(body.id), limited(), { role: 'supervisor' })).status).toBe(200)
    const invitation = { email: 'soon@bank.example', role: 'agent', site_ids: [here.site] }
    expect((await call('POST', '/invitations/', limited(), invitation)).status).toBe(201)
  })
})
