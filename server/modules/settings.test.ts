import { expect, test } from 'vitest'
import { translate } from '../kernel/i18n.ts'
import type { Actor } from '../kernel/access.ts'
import { startApp } from '../test/app.ts'
import { anonymousActor, type TenantFixture, type TenantShape } from '../test/factories.ts'
import { caller } from '../test/runtime.ts'
import { operations } from './index.ts'
import { isOpen } from './sites/index.ts'
import { visitorOf } from './tickets/index.ts'

/** Settings whose effect no other test looks at: scripts/settings-proofs.ts has the whole list. */
const server = await startApp()
const { owner } = server
const as = caller(server.runtime, operations)

async function aHouse(shape: TenantShape = {}) {
  const t = await server.aTenant(shape)
  const run = as(t.admin, t.tenant)
  const take = (queue_id = t.queues[0]!.id, more: object = {}) =>
    run('tickets.take', { queue_id, channel: 'reception', ...more })
  const stranger = as(anonymousActor, t.tenant)
  const page = (slug = 'site-1') => stranger('tickets.sitePage', { slug })
  const mine = async (token: string) => as((await visitorOf(server.db, token)) as Actor, t.tenant)('tickets.mine')
  return { ...t, run, take, page, mine }
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )
/** Over HTTP, as programs of the organisation ask. */
async function ask(t: TenantFixture, method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object) {
  const url = `/api/v1/tenants/${t.tenant.slug}${path}`
  const answer = await server.app.inject({ method, url, headers: server.as(t.admin), ...(payload && { payload }) })
  return answer.json<Record<string, any>>()
}

test('a site: what visitors read of it, whose clock its hours follow, and whether it is there at all', async () => {
  const t = await aHouse()
  const { id } = t.sites[0]!
  const change = (changes: object) => t.run('sites.update', { id, ...changes })
  const told = { name: 'Mairie du 3ᵉ', slug: 'lyon-3', address: '215 rue Duguesclin' }
  await change(told)
  expect((await t.page('lyon-3')).site).toMatchObject(told)
  expect(await codeOf(t.page())).toBe('not_found')
  // An hour before until an hour after now, as clocks stand in Paris; in Auckland it is never that time.
  const [{ from, until }] = (await owner(
    `select to_char(now() at time zone 'Europe/Paris' - interval '1 hour', 'HH24:MI') as from,
       to_char(now() at time zone 'Europe/Paris' + interval '1 hour', 'HH24:MI') as until`,
  )) as [{ from: string; until: string }]
  const weekly = Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, [[from, until]]]))
  await change({ opening_hours: { weekly } })
  expect((await t.page('lyon-3')).is_open).toBe(true)
  await change({ timezone: 'Pacific/Auckland' })
  expect((await t.page('lyon-3')).is_open).toBe(false)
  expect(await codeOf(t.take())).toBe('queue_closed')
  await change({ opening_hours: null, is_active: false })
  expect(await codeOf(t.page('lyon-3'))).toBe('not_found')
  expect(await codeOf(t.take())).toBe('queue_closed')
  // The feast of peace is a holiday of Augsburg alone.
  const feast = Temporal.ZonedDateTime.from('2026-08-08T10:00[Europe/Berlin]').toInstant()
  const open = (holidays: { country: string; state: string; region?: string }) =>
    isOpen({ weekly: { 6: [['09:00', '12:00']] }, holidays }, 'Europe/Berlin', feast)
  expect([open({ country: 'DE', state: 'BY' }), open({ country: 'DE', state: 'BY', region: 'A' })]).toEqual([
    true,
    false,
  ])
})

test('a service: its names and letter, and whether it is offered', async () => {
  const t = await aHouse()
  const names = { fr: 'Passeports', en: 'Passports', ar: 'جوازات السفر' }
  await t.run('services.update', { id: t.services[0]!.id, name: 'Papiers', names, code: 'P' })
  expect((await t.page()).lines).toMatchObject([{ name: 'Papiers', names, code: 'P' }])
  await t.run('services.update', { id: t.services[0]!.id, is_active: false })
  expect((await t.page()).lines).toEqual([])
  expect(await codeOf(t.take())).toBe('queue_closed')
})

test('a counter: its name and the way to it are told, and one that is closed is nobody’s', async () => {
  const t = await aHouse({ counters: 2 })
  const [seat, free] = [t.counters[0]!, t.counters[1]!]
  await t.run('counters.update', { id: seat.id, name: 'Bureau bleu', hint: 'Au premier, à gauche' })
  const { public_token } = await t.take()
  await t.run('tickets.callNext', { id: t.agents[0]!.id })
  expect(await t.mine(public_token)).toMatchObject({
    ticket: { counter_name: 'Bureau bleu' },
    counter_hint: 'Au premier, à gauche',
  })
  const agent = await t.run('agents.create', { site_id: t.sites[0]!.id, name: 'Nadia' })
  const sit = () => codeOf(t.run('agents.setStatus', { id: agent.id, status: 'available', counter_id: free.id }))
  await t.run('counters.update', { id: free.id, is_active: false })
  expect(await sit()).toBe('invalid_input')
  await t.run('counters.update', { id: free.id, is_active: true })
  expect(await sit()).toBe('ok')
})

test('a queue: where it is, what it is called, whether it takes people, and whose shares it divides', async () => {
  const t = await aHouse({ sites: 2 })
  const service = await t.run('services.create', { name: 'Urbanisme', code: 'U' })
  const queue = await t.run('queues.create', { site_id: t.sites[1]!.id, service_id: service.id, name: 'Permis' })
  const linesOf = async (slug: string) => (await t.page(slug)).lines.map(({ id }: { id: number }) => id)
  expect([await linesOf('site-1'), await linesOf('site-2')]).toEqual([
    [t.queues[0]!.id],
    expect.arrayContaining([queue.id]),
  ])
  const { public_token } = await t.take(queue.id)
  expect(await t.mine(public_token)).toMatchObject({ queue_name: 'Permis', service_name: 'Urbanisme' })
  await t.run('queues.update', { id: queue.id, is_active: false })
  expect(await codeOf(t.take(queue.id))).toBe('queue_inactive')
  // The only one of another channel comes last of one share, and second of two.
  const placeOf = async (share_by: 'priority' | 'channel') => {
    const id = t.queues[share_by === 'priority' ? 0 : 1]!.id
    await t.run('queues.update', { id, algorithm: 'fair_share', algorithm_settings: { share_by } })
    for (let n = 0; n < 4; n++) await t.take(id)
    return (await t.take(id, { channel: 'api' })).position
  }
  expect(await placeOf('priority')).toBe(5)
  expect(await placeOf('channel')).toBeLessThan(5)
})

test('a queue’s goal: the share of people decides whether it was missed', async () => {
  const t = await aHouse()
  const { id } = t.queues[0]!
  await t.run('queues.update', { id, goal_seconds: 600 })
  for (const waited of ['0 minutes', '20 minutes']) {
    const ticket = await t.take()
    await owner(
      `with t as (update tickets set entered_at = entered_at - $2::interval, created_at = created_at - $2::interval where id = $1)
       update ticket_legs set entered_at = entered_at - $2::interval where ticket_id = $1`,
      [ticket.id, waited],
    )
    await t.run('tickets.callNext', { id: t.agents[0]!.id })
    for (const verb of ['start', 'complete']) await t.run(`tickets.${verb}`, { id: ticket.id })
  }
  const [period] = (await owner(
    `select (d - 1)::text as from, d::text as to from (select (now() at time zone 'Europe/Paris')::date as d) today`,
  )) as [{ from: string; to: string }]
  await t.run('analytics.aggregate', period)
  const missed = async (goal_percent: number) => {
    await t.run('queues.update', { id, goal_percent })
    return (await t.run('analytics.sla', period)).missed
  }
  expect(await missed(60)).toMatchObject([{ queue_id: id, called: 2, within_goal: 1 }])
  expect(await missed(50)).toEqual([])
  await t.run('queues.update', { id, goal_seconds: 3600 })
  await t.run('analytics.aggregate', period)
  expect(await missed(100)).toEqual([])
})

test('an agent: whose desk it is, and under which name', async () => {
  const t = await aHouse()
  const { id } = t.agents[0]!
  const desk = (actor: Actor) => as(actor, t.tenant)('tickets.call', { id: waiting.id })
  const waiting = await t.take()
  await t.run('agents.update', { id, user_id: t.supervisor.userId, name: 'Samira' })
  expect(await codeOf(desk(t.agentActors[0]!))).not.toBe('ok')
  expect(await desk(t.supervisor)).toMatchObject({ agent_id: id })
  const { agents } = await t.run('sites.floor', { id: t.sites[0]!.id })
  expect(agents).toMatchObject([{ id, name: 'Samira' }])
})

test('somebody who is limited to a queue sees no other', async () => {
  const t = await aHouse({ queues: 2 })
  const password = 'trois petits chats'
  const email = 'limited@example.org'
  const queue_ids = [t.queues[1]!.id]
  await t.run('users.create', { email, name: 'Limited', password, role: 'agent', queue_ids })
  const { access } = await as(anonymousActor, null)('auth.token', { email, password })
  const take = async (queue_id: number) => {
    const answer = await server.app.inject({
      method: 'POST',
      url: `/api/v1/tenants/${t.tenant.slug}/tickets/`,
      headers: { authorization: `Bearer ${access}` },
      payload: { queue_id, channel: 'reception' },
    })
    return answer.statusCode
  }
  expect([await take(queue_ids[0]!), await take(t.queues[0]!.id)]).toEqual([201, 404])
})

test('an organisation: its name is on every page, its zone and language are a new site’s and its visitors’', async () => {
  const t = await aHouse()
  await ask(t, 'PATCH', '/', { name: 'Ville de Lyon', timezone: 'Africa/Tunis', locale: 'ar' })
  const page = async () => (await server.app.inject(`/api/v1/public/${t.tenant.slug}/sites/site-1/`)).json()
  // Processes know an organisation by a memory of a second.
  await expect.poll(async () => (await page()).tenant_name).toBe('Ville de Lyon')
  expect((await ask(t, 'POST', '/sites/', { name: 'Annexe' }))['timezone']).toBe('Africa/Tunis')
  expect((await ask(t, 'GET', '/tickets/999999999/'))['detail']).toBe(translate('ar', 'errors.not_found'))
})

test('what only names a thing is read where the things are', async () => {
  const t = await aHouse()
  const site_id = t.sites[0]!.id
  const made: [string, object][] = [
    ['webhooks', { url: 'https://example.org/hook', description: 'Standard' }],
    ['kiosks', { site_id, name: 'Borne du hall' }],
    ['playlists', { name: 'Automne', items: { list: [] } }],
    ['api-keys', { name: 'Site web', scopes: ['read:queue'] }],
  ]
  for (const [noun, thing] of made) {
    await t.run(`${noun}.create`, { ...thing })
    const { description, name } = thing as { description?: string; name?: string }
    expect((await t.run(`${noun}.list`)).results).toMatchObject([description ? { description } : { name }])
  }
})
