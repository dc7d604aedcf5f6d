import { expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import { visitorOf } from './visitor.ts'
import { aLab, codeOf, type Branch } from './test/branch.ts'

const lab = await aLab()
const visitorOfTicket = async (b: Branch, token: string) => b.as((await visitorOf(lab.db, token)) as Actor)

test('a token opens its own ticket and nothing else', async () => {
  const b = await lab.branch()
  const ticket = await b.take()
  expect(await visitorOf(lab.db, ticket.public_token)).toMatchObject({
    role: 'visitor',
    tenantId: b.tenant.id,
    ticketId: ticket.id,
    principal: `visitor:${ticket.id}`,
  })
  const [tenant, secret] = ticket.public_token.split('-') as [string, string]
  const elsewhere = await lab.branch()
  const wrong = [
    '',
    'x',
    secret,
    `${tenant}-${'0'.repeat(22)}`,
    `${elsewhere.tenant.id.toString(36)}-${secret}`,
    `${'z'.repeat(12)}-${secret}`,
  ]
  for (const token of wrong) expect(await visitorOf(lab.db, token)).toBeUndefined()
})

test('my ticket says where I stand, what I may still do, and nothing staff wrote', async () => {
  const b = await lab.branch()
  await b.take()
  const ticket = await b.take({ note: 'confidentiel', labels: ['VIP'] })
  const me = await visitorOfTicket(b, ticket.public_token)
  const page = await me('tickets.mine')
  expect(page).toMatchObject({
    ticket: { id: ticket.id, number: 'A002', status: 'en_attente', position: 2, ahead: 1 },
    queue_name: 'Service 1',
    timezone: 'Europe/Paris',
    delays_left: 2,
    grace_until: null,
    undo_until: null,
    rating: null,
  })
  expect(JSON.stringify(page)).not.toMatch(/confidentiel|VIP/)
})

test('I can let people pass, leave, and think better of it', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take()
  const other = await b.take()
  const me = await visitorOfTicket(b, public_token)
  expect(await me('tickets.postpone', { places: 1 })).toMatchObject({ position: 2 })
  expect(await b.line()).toEqual([other.id, id])
  const left = await me('tickets.leave')
  expect(left).toMatchObject({ status: 'annulé', position: null })
  expect(Object.keys(left)).not.toContain('undo')
  expect((await me('tickets.mine')).undo_until).toMatch(/Z$/)
  expect(await me('tickets.stay')).toMatchObject({ status: 'en_attente', position: 2 })
  const [event] = await lab.owner(
    `select actor, data ->> 'by' as by from events where tenant_id = $1 and type = 'ticket.cancelled'`,
    [b.tenant.id],
  )
  expect(event).toEqual({ actor: `visitor:${id}`, by: 'visitor' })
})

test('I can take back only what I did myself', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take()
  const me = await visitorOfTicket(b, public_token)
  await b.run('tickets.cancel', { id })
  expect(await codeOf(me('tickets.stay'))).toBe('nothing_to_undo')
  expect((await me('tickets.mine')).undo_until).toBeNull()
  await b.run('tickets.undo', { id })
  for (const verb of ['call', 'noShow'])
    await b.run(`tickets.${verb}`, { id, ...(verb === 'call' && { agent_id: b.agents[0]!.id }) })
  expect(await codeOf(me('tickets.stay'))).toBe('nothing_to_undo')
})

test('"I am here" takes up a missed turn within the grace time', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take()
  await b.take()
  await b.take()
  const me = await visitorOfTicket(b, public_token)
  expect(await codeOf(me('tickets.here'))).toBe('illegal_transition')
  await b.run('tickets.call', { id, agent_id: b.agents[0]!.id })
  expect(await codeOf(me('tickets.here'))).toBe('illegal_transition')
  await b.run('tickets.noShow', { id })
  expect((await me('tickets.mine')).grace_until).toMatch(/Z$/)
  expect(await me('tickets.here')).toMatchObject({ status: 'en_attente', position: 2 })
})

test('a served visit can be rated, also a second time', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take()
  const me = await visitorOfTicket(b, public_token)
  expect(await codeOf(me('tickets.rate', { rating: 5 }))).toBe('not_served_yet')
  await b.run('tickets.call', { id, agent_id: b.agents[0]!.id })
  await b.run('tickets.start', { id })
  await b.run('tickets.complete', { id })
  await me('tickets.rate', { rating: 5, comment: 'Merci' })
  await me('tickets.rate', { rating: 4 })
  expect((await me('tickets.mine')).rating).toBe(4)
  expect(await codeOf(me('tickets.rate', { rating: 6 }))).toBe('invalid_input')
})

test('a visitor is staff nowhere', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take()
  const me = await visitorOfTicket(b, public_token)
  for (const verb of ['get', 'cancel', 'start', 'complete', 'undo', 'events'])
    expect(await codeOf(me(`tickets.${verb}`, { id }))).toBe('forbidden')
})

test('a stranger learns of no number whether it is known, only of the own device whether it has a ticket', async () => {
  const b = await lab.branch()
  const stranger = b.as(b.anonymous)
  const ask = (phone: string, device_id?: string) =>
    stranger('tickets.take', {
      queue_id: b.queues[0]!.id,
      channel: 'web',
      customer: { phone },
      ...(device_id && { device_id }),
    })
  const [known, unknown] = ['+33612345678', '+33612345679']
  const first = await b.take({ customer: { name: 'Samira', phone: known } })
  /** What differs from ticket to ticket anyway. */
  const told = ({ id, number, rank, public_token, url, created_at, entered_at, position, ahead, ...rest }: any) =>
    Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('eta')))
  const answers = [await ask(known), await ask(unknown)]
  expect(told(answers[0])).toEqual(told(answers[1]))
  expect(JSON.stringify(answers)).not.toContain(first.number)
  // The desk still finds the person, and each of the tickets is theirs.
  expect((await b.row(answers[0].id))['customer_id']).toBe(first.customer_id)
  await expect(b.take({ customer: { phone: known } })).rejects.toMatchObject({ params: { number: first.number } })
  const own = await ask(unknown, 'device-0001')
  for (const phone of [known, unknown])
    await expect(ask(phone, 'device-0001')).rejects.toMatchObject({
      code: 'duplicate_ticket',
      params: { number: own.number },
    })
})
