import { expect, test } from 'vitest'
import type { Actor } from '../../../kernel/access.ts'
import { caller } from '../../../test/runtime.ts'
import { operations as appointmentOperations } from '../../appointments/index.ts'
import { operations as ticketOperations, visitorOf } from '../../tickets/index.ts'
import { aLab, codeOf, type Branch } from '../../tickets/test/branch.ts'
import { operations } from '../index.ts'

const lab = await aLab()
const as = caller(lab.runtime, [...operations, ...appointmentOperations, ...ticketOperations])
const desk = (b: Branch, actor: Actor = b.supervisor) => as(actor, b.tenant)
const visitor = async (b: Branch, { public_token }: { public_token: string }) =>
  as((await visitorOf(lab.db, public_token))!, b.tenant)
const line = async (b: Branch, count: number) => {
  const tickets: Awaited<ReturnType<Branch['take']>>[] = []
  for (let i = 0; i < count; i++) tickets.push(await b.take())
  return tickets
}
/** The day that was offered has come. */
const dayPasses = (b: Branch, daysAgo = 0) =>
  lab.owner(
    `update tomorrow_offers o set day = (now() at time zone s.timezone)::date - $2::int
     from sites s where s.id = o.site_id and o.tenant_id = $1`,
    [b.tenant.id, daysAgo],
  )
const offers = (b: Branch, input: Record<string, unknown> = {}) =>
  desk(b)('queues.offerTomorrow', { id: b.queues[0]!.id, ...input })

test('the last of the line are asked, in its order, and nobody twice', async () => {
  const b = await lab.branch()
  const [, second, third, fourth] = await line(b, 4)
  const { offers: asked, day } = await offers(b, { count: 2 })
  expect(asked.map((offer: any) => [offer.ticket_id, offer.number, offer.place, offer.status])).toEqual([
    [third!.id, third!.number, 1, 'offered'],
    [fourth!.id, fourth!.number, 2, 'offered'],
  ])
  const [clock] = await lab.owner<{ tomorrow: string }>(
    `select to_char((now() at time zone 'Europe/Paris')::date + 1, 'YYYY-MM-DD') as tomorrow`,
  )
  expect(day).toBe(clock!.tomorrow)
  expect(await b.events(third!.id)).toEqual(['ticket.created', 'ticket.tomorrow_offered'])
  const again = await offers(b, { count: 3 })
  expect(again.offers.map((offer: any) => [offer.ticket_id, offer.place])).toEqual([[second!.id, 3]])
  const { results } = await desk(b)('queues.tomorrowOffers', { id: b.queues[0]!.id })
  expect(results).toHaveLength(3)
})

test('without a count, those whom the closing forecast leaves unserved', async () => {
  const b = await lab.branch({ agentStatus: 'offline' })
  const tickets = await line(b, 3)
  const { unserved } = await desk(b)('queues.closingForecast', { id: b.queues[0]!.id })
  expect(unserved).toBe(3)
  expect((await offers(b)).offers.map((offer: any) => offer.ticket_id)).toEqual(tickets.map(({ id }) => id))
  const open = await lab.branch()
  await line(open, 3)
  expect(await offers(open)).toMatchObject({ offers: [], expires_at: null })
})

test('who accepts ends here, and comes first on the day, in the order of places', async () => {
  const b = await lab.branch()
  const [first, second, third] = await line(b, 3)
  await offers(b, { count: 3 })
  const [one, two, three] = [await visitor(b, first!), await visitor(b, second!), await visitor(b, third!)]
  expect((await three('tickets.mine')).tomorrow).toMatchObject({
    status: 'offered',
    place: 3,
    takes_appointments: false,
    appointment_at: null,
  })
  for (const run of [one, two, three]) {
    expect(await run('tickets.answerTomorrow', { answer: 'accept' })).toMatchObject({
      status: 'accepted',
      appointment_id: null,
      appointment_url: null,
    })
  }
  const { ticket, tomorrow, undo_until } = await two('tickets.mine')
  expect([ticket.status, tomorrow.status, undo_until]).toEqual(['annulé', 'accepted', null])
  expect(await b.events(second!.id)).toEqual([
    'ticket.created',
    'ticket.tomorrow_offered',
    'ticket.cancelled',
    'ticket.tomorrow_accepted',
  ])
  const [cancelled] = await lab.owner<{ reason: string }>(
    `select data ->> 'reason' as reason from events where ticket_id = $1 and type = 'ticket.cancelled'`,
    [second!.id],
  )
  expect(cancelled!.reason).toBe('tomorrow')
  expect(await codeOf(two('tickets.stay'))).toBe('nothing_to_undo')
  expect(await codeOf(two('tickets.answerTomorrow', { answer: 'accept' }))).toBe('offer_over')
  expect(await codeOf(two('tickets.takeUpPlace'))).toBe('too_early_for_place')

  await dayPasses(b)
  const [stranger] = await line(b, 1)
  const late = (await two('tickets.takeUpPlace')).ticket
  const lateButBefore = (await desk(b, b.kiosk)('tickets.takeUpPlaceFor', { id: first!.id })).ticket
  const last = (await three('tickets.takeUpPlace')).ticket
  expect(await b.line()).toEqual([lateButBefore.id, late.id, last.id, stranger!.id])
  expect(last).toMatchObject({ position: 3, ahead: 2 })
  expect(await (await visitor(b, late))('tickets.mine')).toMatchObject({ ticket: { id: late.id, position: 2 } })
  expect(await codeOf(two('tickets.takeUpPlace'))).toBe('offer_over')
})

test('who accepts where appointments are taken has one, and the earliest goes to who answers first', async () => {
  // A day of 24 hours on every date.
  const b = await lab.branch({ timezone: 'UTC' })
  await desk(b)('booking-settings.create', {
    queue_id: b.queues[0]!.id,
    duration_seconds: 28_800,
    capacity: 1,
    lead_seconds: 0,
    confirmation: 'email',
  })
  const tickets = await line(b, 5)
  await offers(b, { count: 5 })
  const answers = []
  for (const ticket of tickets)
    answers.push(await (await visitor(b, ticket))('tickets.answerTomorrow', { answer: 'accept' }))
  const booked = answers.filter(({ appointment_id }) => appointment_id !== null)
  expect(booked).toHaveLength(3)
  expect(new Set(booked.map(({ appointment_at }) => appointment_at)).size).toBe(3)
  for (const { appointment_url } of booked) expect(appointment_url).toMatch(/\/a\//)
  const { status, start_at } = await desk(b)('appointments.get', { id: booked[0].appointment_id })
  expect([status, start_at]).toEqual(['booked', booked[0].appointment_at])
  const mine = await (await visitor(b, tickets[0]!))('tickets.mine')
  expect(mine.tomorrow).toMatchObject({ status: 'accepted', takes_appointments: true, appointment_at: start_at })
  // The day was full for the last two: they have the promise all the same, as places.
  expect(answers.slice(3).map(({ status, place }) => [status, place])).toEqual([
    ['accepted', 4],
    ['accepted', 5],
  ])
  await dayPasses(b)
  expect(await codeOf((await visitor(b, tickets[0]!))('tickets.takeUpPlace'))).toBe('offer_over')
})

test('a slot that is not free is refused, and the offer stands', async () => {
  const b = await lab.branch()
  await desk(b)('booking-settings.create', { queue_id: b.queues[0]!.id, lead_seconds: 0 })
  const [ticket] = await line(b, 1)
  await offers(b, { count: 1 })
  const me = await visitor(b, ticket!)
  const wish = { answer: 'accept', start_at: '2099-01-01T08:00:00Z' }
  expect(await codeOf(me('tickets.answerTomorrow', wish))).toBe('slot_taken')
  expect((await me('tickets.mine')).tomorrow.status).toBe('offered')
  expect((await b.row(ticket!.id))['status']).toBe('en_attente')
})

test('who declines, is too late or was called stays what they are', async () => {
  const b = await lab.branch()
  const [called, declined, silent] = await line(b, 3)
  await offers(b, { count: 3 })
  const no = await visitor(b, declined!)
  expect(await no('tickets.answerTomorrow', { answer: 'decline' })).toMatchObject({ status: 'declined' })
  expect(await codeOf(no('tickets.answerTomorrow', { answer: 'accept' }))).toBe('offer_over')
  await b.callNext()
  expect(await codeOf((await visitor(b, called!))('tickets.answerTomorrow', { answer: 'accept' }))).toBe('offer_over')
  await lab.owner('update tomorrow_offers set expires_at = now() where ticket_id = $1', [silent!.id])
  expect(await codeOf((await visitor(b, silent!))('tickets.answerTomorrow', { answer: 'accept' }))).toBe('offer_over')
  const program = desk(b, b.system)
  expect(await program('queues.sweepTomorrowOffers')).toEqual({ count: 2, more: false })
  const { results } = await desk(b)('queues.tomorrowOffers', { id: b.queues[0]!.id })
  expect(results.map(({ status }: { status: string }) => status)).toEqual(['withdrawn', 'declined', 'expired'])
  expect(await b.line()).toEqual([declined!.id, silent!.id])
  expect(await program('queues.sweepTomorrowOffers')).toEqual({ count: 0, more: false })
})

test('a place nobody came for lapses when its day is over', async () => {
  const b = await lab.branch()
  const [ticket] = await line(b, 1)
  await offers(b, { count: 1 })
  await desk(b)('tickets.answerTomorrowFor', { id: ticket!.id, answer: 'accept' })
  await dayPasses(b, 1)
  const me = await visitor(b, ticket!)
  expect(await codeOf(me('tickets.takeUpPlace'))).toBe('offer_over')
  await desk(b, b.system)('queues.sweepTomorrowOffers')
  expect((await me('tickets.mine')).tomorrow.status).toBe('lapsed')
})

test('of two answers at once one counts', async () => {
  const b = await lab.branch()
  const [ticket] = await line(b, 1)
  await offers(b, { count: 1 })
  const me = await visitor(b, ticket!)
  const codes = await Promise.all(
    ['accept', 'accept', 'decline'].map((answer) => codeOf(me('tickets.answerTomorrow', { answer }))),
  )
  expect(codes.toSorted()).toEqual(['offer_over', 'offer_over', 'ok'])
})

test('a place that does not open within two weeks offers nothing', async () => {
  const b = await lab.branch()
  await line(b, 1)
  await lab.owner(`update sites set opening_hours = '{"weekly": {}}' where id = $1`, [b.sites[0]!.id])
  expect(await codeOf(offers(b, { count: 1 }))).toBe('no_open_day')
})

test('agents and strangers may not offer; the day of a queue with ratings and offers can be simulated', async () => {
  const b = await lab.branch()
  const [ticket] = await line(b, 2)
  expect(await codeOf(desk(b, b.agentActors[0]!)('queues.offerTomorrow', { id: b.queues[0]!.id, count: 1 }))).toBe(
    'forbidden',
  )
  await offers(b, { count: 1 })
  await b.callNext()
  await b.run('tickets.start', { id: ticket!.id })
  await b.run('tickets.complete', { id: ticket!.id })
  await (
    await visitor(b, ticket!)
  )('tickets.rate', { rating: 5 })
  const [clock] = await lab.owner<{ day: string }>(
    `select to_char(now() at time zone 'Europe/Paris', 'YYYY-MM-DD') as day`,
  )
  expect(await desk(b)('queues.simulate', { id: b.queues[0]!.id, date: clock!.day })).toMatchObject({ identical: true })
})
