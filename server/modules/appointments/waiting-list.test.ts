import { expect, test } from 'vitest'
import { jobs } from './index.ts'
import { anOfficeMaker, codeOf, type Office } from './test/office.ts'

const { owner, office, runtime } = await anOfficeMaker()

/** An office with one place on one day, which is taken. */
async function full(settings: Record<string, unknown> = {}) {
  const b = await office({ duration_seconds: 3600, ...settings })
  const day = b.at(0).slice(0, 10)
  await b.adminRun('sites.update', {
    id: b.sites[0]!.id,
    opening_hours: { weekly: {}, exceptions: [{ date: day, intervals: [['12:00', '13:00']] }] },
  })
  const { services } = await b.run('appointments.slots', { site: b.sites[0]!.id, from: day, to: day })
  const start_at = services[0].days[0].slots[0].start_at as string
  const taken = await b.book({ start_at })
  const address = (n: number) => `waiter${n}@${b.tenant.slug}.example`
  const ask = (n: number, more: object = {}) =>
    b.stranger('waiting-list.join', {
      queue_id: b.queues[0]!.id,
      from_day: day,
      to_day: day,
      customer: { name: `Waiter ${n}`, email: address(n) },
      ...more,
    })
  /** The link that the job sends to the address. */
  const mailed = async (n: number, waiter: { id: number }) => {
    const job = jobs.find(({ name }) => name === 'appointments.confirm_waiter')!
    const payload = { tenant_id: b.tenant.id, waiter_id: waiter.id, base: 'https://queue.example' }
    await job.run({ runtime, tenants: async () => [b.tenant] }, payload)
    const [mail] = await owner<{ body: string }>(
      'select body from outbox_messages where recipient = $1 order by id desc limit 1',
      [address(n)],
    )
    return /https:\/\/queue\.example\/w\/(\S+)/.exec(mail!.body)![1]!
  }
  const join = async (n: number) => {
    const waiter = await ask(n)
    await b.stranger('waiting-list.confirm', { link: await mailed(n, waiter) })
    return waiter
  }
  const mine = (waiter: { public_token: string }) => b.stranger('waiting-list.mine', { link: waiter.public_token })
  return { b, day, start_at, taken, ask, mailed, join, mine }
}
const offer = (b: Office) => b.program('waiting-list.offer', {})
const offered = (b: Office) =>
  owner<{ id: number; customer: string }>(
    `select a.id, c.name as customer from appointments a join customers c on c.id = a.customer_id and c.tenant_id = a.tenant_id
     where a.tenant_id = $1 and a.status = 'held'`,
    [b.tenant.id],
  )

test('a place that frees up is offered to the first who asked, then to the next, and to no stranger meanwhile', async () => {
  const { b, day, start_at, taken, join, mine } = await full({ offer_seconds: 60 })
  const [first, second] = [await join(1), await join(2)]
  expect(await offer(b)).toEqual({ count: 0, more: false })
  await b.run('appointments.cancel', { id: taken.id })
  // Before anybody has been told, too.
  const snatch = () => codeOf(b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at }))
  expect(await snatch()).toBe('slot_taken')
  const shown = await b.stranger('appointments.slots', { site: b.sites[0]!.id, from: day, to: day })
  expect(shown.services[0].days).toEqual([])
  // The job that the cancellation left behind.
  const job = jobs.find(({ name }) => name === 'appointments.offer_places')!
  const [queued] = await owner<{ payload: Record<string, unknown> }>(
    `select payload from graphile_worker._private_jobs where key like 'appointments.offer_places:' || $1 || ':%'`,
    [b.tenant.id],
  )
  await job.run({ runtime, tenants: async () => [b.tenant] }, queued!.payload)
  expect(await offered(b)).toMatchObject([{ customer: 'Waiter 1' }])
  expect(await mine(first)).toMatchObject({ status: 'offered', appointment_status: 'held' })
  expect(await snatch()).toBe('slot_taken')
  expect(await offer(b)).toMatchObject({ count: 0 })
  // Nobody confirms.
  await owner(
    `update appointments set hold_expires_at = now() - interval '1 second' where tenant_id = $1 and status = 'held'`,
    [b.tenant.id],
  )
  expect(await snatch()).toBe('slot_taken')
  expect(await offer(b)).toMatchObject({ count: 1 })
  expect(await mine(first)).toMatchObject({ status: 'offered', appointment_status: 'expired' })
  const [held] = await offered(b)
  expect(held).toMatchObject({ customer: 'Waiter 2' })
  await b.run('appointments.confirm', { id: held!.id })
  expect(await mine(second)).toMatchObject({ appointment_status: 'booked' })
})

test('of 64 strangers and eight rounds of offers at once, the one who waited has the place', async () => {
  const { b, start_at, taken, join } = await full()
  await join(1)
  await b.run('appointments.cancel', { id: taken.id })
  const strangers = Array.from({ length: 64 }, () =>
    codeOf(b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at })),
  )
  const rounds = Array.from({ length: 8 }, () => offer(b))
  expect(new Set(await Promise.all(strangers))).toEqual(new Set(['slot_taken']))
  expect((await Promise.all(rounds)).reduce((sum, { count }) => sum + count, 0)).toBe(1)
  expect(await offered(b)).toHaveLength(1)
})

test('the control: without anybody waiting one of the strangers has it', async () => {
  const { b, start_at, taken } = await full()
  await b.run('appointments.cancel', { id: taken.id })
  const codes = await Promise.all(
    Array.from({ length: 64 }, () => codeOf(b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at }))),
  )
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
})

test('who is told and how often is bounded, and what is free is booked, not waited for', async () => {
  const { b, ask, mailed, join, mine, taken, start_at } = await full()
  const one = await join(1)
  expect(await codeOf(ask(2, { customer: { name: 'No address' } }))).toBe('invalid_input')
  expect(await codeOf(ask(2, { to_day: '2000-01-01' }))).toBe('invalid_input')
  // Whether an address waits is told to whoever reads what is sent there, not to whoever types it.
  const again = await ask(1)
  expect(again.status).toBe('unconfirmed')
  expect(await codeOf(b.stranger('waiting-list.confirm', { link: await mailed(1, again) }))).toBe('already_exists')
  for (let i = 0; i < 4; i++) await ask(1)
  expect(await codeOf(ask(1))).toBe('too_many_appointments')
  expect(await b.stranger('waiting-list.leave', { link: one.public_token })).toMatchObject({ status: 'left' })
  await b.run('appointments.cancel', { id: taken.id })
  expect(await codeOf(join(3))).toBe('places_free')
  await b.book({ start_at })
  const late = await join(4)
  await owner(`update appointment_waiters set from_day = '2020-01-01', to_day = '2020-01-02' where id = $1`, [late.id])
  await offer(b)
  expect(await mine(late)).toMatchObject({ status: 'over' })
  const { results } = await b.run('waiting-list.list', {})
  expect(results.filter(({ status }: { status: string }) => status !== 'unconfirmed')).toHaveLength(2)
})

test('who waits at a queue that takes no appointments any more stops nobody’s offers', async () => {
  const { b, taken, join, mine } = await full()
  const waiter = await join(1)
  await b.run('appointments.cancel', { id: taken.id })
  await b.run('booking-settings.delete', { id: b.settingsId })
  expect(await offer(b)).toEqual({ count: 0, more: false })
  expect(await mine(waiter)).toMatchObject({ status: 'waiting' })
})

test('whoever makes an address up holds no place: it is bookable until the link that was sent there is used', async () => {
  const { b, ask, mailed, mine, taken, start_at } = await full()
  const waiter = await ask(1)
  expect(waiter.status).toBe('unconfirmed')
  await b.run('appointments.cancel', { id: taken.id })
  expect(await offer(b)).toEqual({ count: 0, more: false })
  // The link that the asker has does not confirm, and the one that was sent is shown before it does anything.
  expect(await codeOf(b.stranger('waiting-list.confirm', { link: waiter.public_token }))).toBe('confirm_by_email')
  const link = await mailed(1, waiter)
  expect(await mine({ public_token: link })).toMatchObject({ status: 'unconfirmed', can_confirm: true })
  expect(await mine(waiter)).toMatchObject({ status: 'unconfirmed', can_confirm: false })
  const other = await b.book({ start_at })
  expect(await b.stranger('waiting-list.confirm', { link })).toMatchObject({ status: 'waiting', can_confirm: false })
  expect(await b.stranger('waiting-list.confirm', { link })).toMatchObject({ status: 'waiting' })
  await b.run('appointments.cancel', { id: other.id })
  expect(await offer(b)).toMatchObject({ count: 1 })
  expect(await mine(waiter)).toMatchObject({ status: 'offered' })
})

test('the control: a request that counts as confirmed at once keeps the place from others', async () => {
  const { b, ask, taken, start_at } = await full()
  const waiter = await ask(1)
  await owner(`update appointment_waiters set status = 'waiting' where id = $1`, [waiter.id])
  await b.run('appointments.cancel', { id: taken.id })
  expect(await codeOf(b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at }))).toBe('slot_taken')
})

test('a request that nobody confirms within a day ends, and its link with it; one that staff enter waits at once', async () => {
  const { b, day, ask, mailed, mine } = await full()
  const waiter = await ask(1)
  const link = await mailed(1, waiter)
  await owner(`update appointment_waiters set created_at = now() - interval '24 hours 1 second' where id = $1`, [
    waiter.id,
  ])
  expect(await codeOf(b.stranger('waiting-list.confirm', { link }))).toBe('hold_expired')
  expect(await mine(waiter)).toMatchObject({ status: 'expired' })
  await offer(b)
  const stored = () => owner<{ status: string }>('select status from appointment_waiters where id = $1', [waiter.id])
  expect(await stored()).toEqual([{ status: 'expired' }])
  const entered = await b.run('waiting-list.join', {
    queue_id: b.queues[0]!.id,
    from_day: day,
    to_day: day,
    customer: { email: 'known@example.org' },
  })
  expect(entered.status).toBe('waiting')
})
