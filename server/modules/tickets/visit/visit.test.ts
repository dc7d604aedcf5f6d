import { expect, test } from 'vitest'
import type { Actor } from '../../../kernel/access.ts'
import { anonymousActor } from '../../../test/factories.ts'
import { aLab, type Branch } from '../test/branch.ts'
import { visitorOf } from '../visitor.ts'
import { findTicket } from './find.ts'

const lab = await aLab()
const me = async (b: Branch, token: string) => b.as((await visitorOf(lab.db, token)) as Actor)
const anybody = (b: Branch) => b.as(anonymousActor)

test('a site says what can be taken now, how long the lines are and who serves', async () => {
  const b = await lab.branch({ queues: 2, agents: 2 })
  await b.take()
  await b.take()
  await b.setQueue({ is_active: false }, 1)
  const page = await anybody(b)('tickets.sitePage', { slug: 'site-1' })
  expect(page).toMatchObject({
    is_open: true,
    opens_at: null,
    site: { name: 'Site 1', timezone: 'Europe/Paris' },
    lines: [
      { code: 'A', status: 'open', waiting: 2, agents_open: 2 },
      { code: 'B', status: 'paused', waiting: 0 },
    ],
  })
  expect(page.lines[0].eta_low_seconds).toBeLessThan(page.lines[0].eta_high_seconds)
  await expect(anybody(b)('tickets.sitePage', { slug: 'nowhere' })).rejects.toMatchObject({ code: 'not_found' })
})

test('a closed site says when it opens', async () => {
  const b = await lab.branch()
  await lab.owner(`update sites set opening_hours = '{"weekly": {}, "exceptions": []}' where tenant_id = $1`, [
    b.tenant.id,
  ])
  const page = await anybody(b)('tickets.sitePage', { slug: 'site-1' })
  expect(page).toMatchObject({ is_open: false, opens_at: null, lines: [{ status: 'closed' }] })
  await lab.owner(
    `update sites set opening_hours = jsonb_build_object('weekly', '{}'::jsonb, 'exceptions', jsonb_build_array(
       jsonb_build_object('date', (now() + interval '3 days')::date, 'intervals', '[["09:00","12:00"]]'::jsonb)))
     where tenant_id = $1`,
    [b.tenant.id],
  )
  expect((await anybody(b)('tickets.sitePage', { slug: 'site-1' })).opens_at).toMatch(/:00Z$/)
})

test('number and check letters open the page again, and the first link keeps working', async () => {
  const b = await lab.branch()
  const ticket = await b.take()
  const { check } = await (await me(b, ticket.public_token))('tickets.mine')
  expect(check).toMatch(/^[2-9A-HJ-NP-Z]{2}$/)
  const find = (number: string, letters: string) =>
    anybody(b)('tickets.find', { slug: 'site-1', number, check: letters })
  const { public_token } = await find(` a-${ticket.number.slice(1)}`, check.toLowerCase())
  expect(public_token).not.toBe(ticket.public_token)
  for (const token of [public_token, ticket.public_token])
    expect((await visitorOf(lab.db, token))?.ticketId).toBe(ticket.id)
  for (const [number, letters] of [
    [ticket.number, check === '22' ? '33' : '22'],
    ['Z999', check],
  ])
    await expect(find(number!, letters!)).rejects.toMatchObject({ code: 'not_found' })
})

test('who tries the letters of a number is stopped, and so is a network that tries all numbers; others find their page', async () => {
  const b = await lab.branch()
  const [one, two] = [await b.take(), await b.take()]
  const letters = async (ticket: { public_token: string }) =>
    (await (await me(b, ticket.public_token))('tickets.mine')).check as string
  const right = [await letters(one), await letters(two)] as const
  const wrong = right.includes('22') ? '33' : '22'
  const find = async (number: string, check: string, address?: string) => {
    const origin = address === undefined ? undefined : { address, userAgent: undefined }
    const input = { slug: 'site-1', number, check }
    const asked = { actor: anonymousActor, tenant: b.tenant, locale: 'en', input, ...(origin && { origin }) } as const
    return lab.runtime.execute(findTicket, asked).then(
      () => 'found',
      (error: { code: string }) => error.code,
    )
  }
  for (let n = 0; n < 10; n++) expect(await find(one.number, wrong, `192.0.${n}.1`)).toBe('not_found')
  expect(await find(one.number, right[0], '192.0.99.1')).toBe('rate_limited')
  expect(await find(two.number, right[1], '192.0.99.1')).toBe('found')
  for (let n = 0; n < 20; n++) expect(await find(`Z${n}`, wrong, `198.51.100.${n}`)).toBe('not_found')
  expect(await find(two.number, right[1], '198.51.100.99')).toBe('rate_limited')
  expect(await find(two.number, right[1], '198.51.101.99')).toBe('found')
})

test('staff see what somebody called answers, the last answer only', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take({ labels: ['VIP'] })
  const visitor = await me(b, public_token)
  await expect(visitor('tickets.reply', { reply: 'on_my_way' })).rejects.toMatchObject({ code: 'illegal_transition' })
  await b.callNext()
  await visitor('tickets.reply', { reply: 'needs_time' })
  await visitor('tickets.reply', { reply: 'on_my_way' })
  expect((await b.row(id))['labels']).toEqual(['VIP', 'on_my_way'])
  expect((await visitor('tickets.mine')).reply).toBe('on_my_way')
})

test('a finished visit can be forgotten, a running one cannot', async () => {
  const b = await lab.branch()
  const { id, public_token } = await b.take({ note: 'secret', customer: { name: 'Somebody' }, needs: ['hearing'] })
  const visitor = await me(b, public_token)
  await expect(visitor('tickets.erase')).rejects.toMatchObject({ code: 'illegal_transition' })
  await visitor('tickets.leave')
  await visitor('tickets.erase')
  expect(await b.row(id)).toMatchObject({ customer_id: null, note: '', needs: [], token_hash: null })
  expect(await visitorOf(lab.db, public_token)).toBeUndefined()
})
