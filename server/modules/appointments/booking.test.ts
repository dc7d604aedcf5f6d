import { describe, expect, test } from 'vitest'
import { anOfficeMaker, codeOf, insistently } from './test/office.ts'

const { db, owner, office } = await anOfficeMaker()

const live = async (tenantId: number) =>
  (
    await owner<{ count: number }>(
      `select count(*)::int as count from appointments where tenant_id = $1 and status in ('held', 'pending', 'booked')`,
      [tenantId],
    )
  )[0]!.count

describe('the last place of a slot', () => {
  test.each([
    ['a place', { capacity: 1 }],
    ['the third place', { capacity: 3 }],
    ['a counter', { resource: 'counters' }],
    ['an agent', { resource: 'agents' }],
  ])('%s goes to one of 64 who want it at once', async (_, settings) => {
    const b = await office(settings)
    const places = 'capacity' in settings ? settings.capacity : 1
    for (let i = 1; i < places; i++) await b.book()
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_each, i) =>
        codeOf(
          insistently(() =>
            i % 2 ? b.book() : b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at: b.at(60) }),
          ),
        ),
      ),
    )
    expect(outcomes.filter((code) => code === 'ok')).toHaveLength(1)
    expect(outcomes.filter((code) => code === 'slot_taken')).toHaveLength(63)
    expect(await live(b.tenant.id)).toBe(places)
  })

  test('control: looking first and then writing books it several times', async () => {
    const b = await office()
    // Both have looked before either writes, as it happens among many sooner or later.
    let looking = 2
    const allLooked = Promise.withResolvers<void>()
    const naive = (code: string) =>
      db.tenant(b.tenant.id, async (tx) => {
        const { taken } = await tx.one<{ taken: number }>('select count(*)::int as taken from appointments')
        if (--looking === 0) allLooked.resolve()
        await allLooked.promise
        if (taken > 0) return
        await tx.query(
          `insert into appointments (site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, channel, code)
           values ($1, $2, $3, 'booked', $4, $5, $4, $5, current_date, 'web', $6)`,
          [b.sites[0]!.id, b.queues[0]!.id, b.services[0]!.id, b.at(60), b.at(75), code],
        )
      })
    await Promise.all([naive('000001'), naive('000002')])
    expect(await live(b.tenant.id)).toBe(2)
  })

  test('the database itself refuses a counter twice, whoever asks', async () => {
    const b = await office({ resource: 'counters' })
    const row = await b.book()
    const again = owner(
      `insert into appointments (tenant_id, site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, channel, code, counter_id)
       select tenant_id, site_id, queue_id, service_id, 'booked', start_at + interval '5 min', end_at, busy_from + interval '5 min', busy_until,
         day, channel, '000001', counter_id from appointments where id = $1`,
      [row.id],
    )
    await expect(again).rejects.toMatchObject({ constraint: 'appointments_counter_once' })
  })

  test('two queues that share the counters do not share one counter at one time', async () => {
    const b = await office({ resource: 'counters' }, { queues: 2, counters: 2 })
    await b.run('booking-settings.create', { queue_id: b.queues[1]!.id, resource: 'counters', duration_seconds: 1800 })
    const wishes = Array.from({ length: 20 }, (_, i) =>
      codeOf(insistently(() => b.book({ queue_id: b.queues[i % 2]!.id }))),
    )
    expect((await Promise.all(wishes)).filter((code) => code === 'ok')).toHaveLength(2)
  })
})

test('a repeated key is the same booking', async () => {
  const b = await office()
  const input = { queue_id: b.queues[0]!.id, start_at: b.at(60) }
  const key = 'a-key-that-nobody-guesses'
  const first = await b.stranger('appointments.book', input, { key })
  expect(await b.stranger('appointments.book', input, { key })).toEqual(first)
  expect(await live(b.tenant.id)).toBe(1)
})

test('neither the link nor what it opens is kept as such', async () => {
  const b = await office()
  const { public_token } = await b.book({
    customer: { name: 'Samira', phone: '06 12 34 56 78' },
    note: 'Brings a form',
  })
  const rows = JSON.stringify(await owner('select * from appointment_links where tenant_id = $1', [b.tenant.id]))
  expect(rows).not.toContain(public_token)
  const events = JSON.stringify(
    await owner(`select data from events where tenant_id = $1 and type like 'appointment.%'`, [b.tenant.id]),
  )
  for (const secret of ['Samira', '612345678', 'Brings a form', public_token]) expect(events).not.toContain(secret)
})

test('strangers book what is shown: on the grid, not too soon, not too far, within the quota', async () => {
  const b = await office({ horizon_days: 2, capacity: 5 })
  const book = (start_at: string, more = {}) =>
    codeOf(b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at, ...more }))
  expect(await book(b.at(-2 * 24 * 60))).toBe('invalid_input')
  expect(await book(b.at(127))).toBe('invalid_input')
  await b.configure({ lead_seconds: 172_800 })
  expect(await book(b.at(15))).toBe('slot_taken')
  await b.configure({ lead_seconds: 0 })
  expect(await book(b.at(3 * 24 * 60))).toBe('slot_taken')
  expect(await book(b.at(120), { party_size: 6 })).toBe('slot_taken')
  expect(await book(b.at(120), { customer_id: 1 })).toBe('forbidden')
  expect(await book(b.at(120), { party_size: 5 })).toBe('ok')
  expect(await book(b.at(120))).toBe('slot_taken')
  // Staff are bound by the places only.
  expect(await codeOf(b.book({ start_at: b.at(127) }))).toBe('slot_taken')
  expect(await codeOf(b.book({ start_at: b.at(137) }))).toBe('ok')
  // As far as days can be told; what would end beyond is refused.
  expect(await codeOf(b.book({ start_at: '2999-12-30T10:00:00Z' }))).toBe('ok')
  expect(await codeOf(b.book({ start_at: '2999-12-31T10:00:00Z' }))).toBe('invalid_input')
  await b.configure({ daily_quota: 1 })
  expect(await book(b.at(240))).toBe('slot_taken')
  expect(await codeOf(b.book({ start_at: b.at(240) }))).toBe('ok')
  await b.configure({ is_active: false })
  expect(await codeOf(b.book())).toBe('not_bookable')
})

test('overbooking takes so many more, without a counter', async () => {
  const b = await office({ resource: 'counters', overbooking_percent: 50 }, { counters: 2 })
  const rows = [await b.book(), await b.book(), await b.book()]
  expect(rows.map(({ counter_id }) => counter_id !== null)).toEqual([true, true, false])
  expect(await codeOf(b.book())).toBe('slot_taken')
})

test('a person has as many future appointments as the queue says, wherever they are booked', async () => {
  const b = await office({ max_per_customer: 2, capacity: 50 })
  const wishes = Array.from({ length: 10 }, () =>
    codeOf(
      b.stranger('appointments.book', {
        queue_id: b.queues[0]!.id,
        start_at: b.at(60),
        customer: { phone: '06 12 34 56 78' },
      }),
    ),
  )
  const outcomes = await Promise.all(wishes)
  expect(outcomes.filter((code) => code === 'ok')).toHaveLength(2)
  expect(outcomes.filter((code) => code === 'too_many_appointments')).toHaveLength(8)
})

describe('a hold', () => {
  const inThePast = (id: number) =>
    owner(`update appointments set hold_expires_at = now() - interval '1 second' where id = $1`, [id])

  test('keeps the place until it is over, and gives it back', async () => {
    const b = await office({ confirmation: 'hold', hold_seconds: 120 })
    const wish = { queue_id: b.queues[0]!.id, start_at: b.at(60) }
    const held = await b.stranger('appointments.book', wish)
    expect(held).toMatchObject({ status: 'held', hold_expires_at: expect.any(String) })
    const [left] = await owner(
      'select hold_expires_at - created_at <= $2 * interval \'1 second\' as "isShort" from appointments where id = $1',
      [held.id, 121],
    )
    expect(left).toEqual({ isShort: true })
    expect(await codeOf(b.stranger('appointments.book', wish))).toBe('slot_taken')
    await inThePast(held.id)
    const next = await b.stranger('appointments.book', wish)
    expect(next.status).toBe('held')
    expect(await codeOf(b.stranger('appointments.confirmMine', { link: held.public_token }))).toBe('appointment_over')
    expect(await b.told()).toEqual(['appointment.held', 'appointment.expired', 'appointment.held'])
  })

  test('is confirmed by its link, twice as once, and not after its time', async () => {
    const b = await office({ confirmation: 'hold', capacity: 2 })
    const wish = { queue_id: b.queues[0]!.id, start_at: b.at(60) }
    const [first, second] = [await b.stranger('appointments.book', wish), await b.stranger('appointments.book', wish)]
    const confirm = (link: string) => b.stranger('appointments.confirmMine', { link })
    expect(await confirm(first.public_token)).toMatchObject({ status: 'booked', hold_expires_at: null })
    expect((await confirm(first.public_token)).status).toBe('booked')
    await inThePast(second.id)
    expect(await codeOf(confirm(second.public_token))).toBe('hold_expired')
    expect((await b.program('appointments.sweep')).count).toBe(1)
    expect((await b.run('appointments.get', { id: second.id })).status).toBe('expired')
  })

  test('that asks for an e-mail is confirmed by what was sent there alone', async () => {
    const b = await office({ confirmation: 'email' })
    const wish = { queue_id: b.queues[0]!.id, start_at: b.at(60) }
    expect(await codeOf(b.stranger('appointments.book', wish))).toBe('invalid_input')
    const held = await b.stranger('appointments.book', { ...wish, customer: { email: 'samira@example.org' } })
    expect(await codeOf(b.stranger('appointments.confirmMine', { link: held.public_token }))).toBe('confirm_by_email')
    const [{ payload } = { payload: {} }] = await owner<{ payload: Record<string, unknown> }>(
      `select payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
       where t.identifier = 'appointments.send_confirmation' and (payload->>'appointment_id')::bigint = $1`,
      [held.id],
    )
    expect(payload).toEqual({ appointment_id: held.id, base: 'https://smartqueue.example', tenant_id: b.tenant.id })
  })
})

test('staff approve what waits for it, and whoever stayed away too often', async () => {
  const b = await office({ needs_approval: true, capacity: 9 })
  const wish = { queue_id: b.queues[0]!.id, start_at: b.at(60), customer: { phone: '06 12 34 56 78' } }
  const pending = await b.stranger('appointments.book', wish)
  expect(pending.status).toBe('pending')
  expect((await b.run('appointments.confirm', { id: pending.id })).status).toBe('booked')
  await b.configure({ needs_approval: false, max_no_shows: 1 })
  expect((await b.stranger('appointments.book', wish)).status).toBe('booked')
  await owner(
    `update appointments set status = 'no_show', start_at = start_at - interval '1 day', busy_from = busy_from - interval '1 day' where id = $1`,
    [pending.id],
  )
  expect((await b.stranger('appointments.book', wish)).status).toBe('pending')
})

describe('by the secret link', () => {
  test('a visitor reads, moves and cancels the own appointment, in time', async () => {
    const b = await office({ duration_seconds: 1800 })
    const { public_token: link, id } = await b.stranger('appointments.book', {
      queue_id: b.queues[0]!.id,
      start_at: b.at(60),
    })
    const mine = await b.stranger('appointments.mine', { link })
    expect(mine).toMatchObject({ id, start_at: b.at(60), timezone: 'Europe/Paris', sequence: 0 })
    for (const hidden of ['note', 'customer_id', 'agent_id', 'counter_id']) expect(mine).not.toHaveProperty(hidden)
    // Half of the present place lies in the wanted one: it does not stand in its own way.
    await b.configure({ interval_seconds: 900 })
    expect(await b.stranger('appointments.rescheduleMine', { link, start_at: b.at(75) })).toMatchObject({
      start_at: b.at(75),
      sequence: 1,
    })
    await b.book({ start_at: b.at(180) })
    expect(await codeOf(b.stranger('appointments.rescheduleMine', { link, start_at: b.at(180) }))).toBe('slot_taken')
    await b.configure({ cancel_until_seconds: 172_800 })
    expect(await codeOf(b.stranger('appointments.cancelMine', { link }))).toBe('too_late_to_change')
    await b.configure({ cancel_until_seconds: 0 })
    expect((await b.stranger('appointments.cancelMine', { link, reason: 'ill' })).status).toBe('cancelled')
    expect((await b.stranger('appointments.cancelMine', { link })).status).toBe('cancelled')
    expect(await codeOf(b.stranger('appointments.rescheduleMine', { link, start_at: b.at(240) }))).toBe(
      'appointment_over',
    )
    expect(await b.told()).toEqual(
      ['booked', 'rescheduled', 'booked', 'cancelled'].map((what) => `appointment.${what}`),
    )
  })

  test('nothing is opened by another’s tenant, another secret, or reading', async () => {
    const [b, other] = [await office(), await office()]
    const { public_token: link } = await b.book()
    expect(await codeOf(other.stranger('appointments.mine', { link }))).toBe('not_found')
    expect(await codeOf(b.stranger('appointments.mine', { link: `${link.slice(0, -1)}!` }))).toBe('not_found')
    await b.stranger('appointments.mine', { link })
    expect((await b.run('appointments.list')).results[0].status).toBe('booked')
  })
})

test('a list is filtered, in order of time, and inside the caller’s limits', async () => {
  const b = await office({ capacity: 5 }, { sites: 2, queues: 2 })
  const second = b.queues.find(({ site_id }) => site_id === b.sites[1]!.id)!
  await b.run('booking-settings.create', { queue_id: second.id, lead_seconds: 0 })
  const later = await b.book({ start_at: b.at(120) })
  const sooner = await b.book()
  const elsewhere = await b.book({ queue_id: second.id })
  const ids = async (input: Record<string, unknown>, run = b.run) =>
    (await run('appointments.list', input)).results.map(({ id }: { id: number }) => id)
  expect(await ids({ site: b.sites[0]!.id })).toEqual([sooner.id, later.id])
  expect(await ids({ ordering: '-start_at', queue: b.queues[0]!.id })).toEqual([later.id, sooner.id])
  expect(await ids({ queue: second.id })).toEqual([elsewhere.id])
  expect(await ids({ code: sooner.code, site: b.sites[0]!.id })).toEqual([sooner.id])
  expect(await ids({ status: ['cancelled'] })).toEqual([])
  expect(await ids({ from: later.day, to: '2999-12-31' })).toContain(later.id)
  const page = await b.run('appointments.list', { limit: 2 })
  expect((await b.run('appointments.list', { limit: 2, cursor: page.next })).results).toHaveLength(1)
})

test('who is known by phone alone is sent the link to the e-mail that was given', async () => {
  const b = await office({ confirmation: 'email' })
  const phone = '+33650000002'
  await b.adminRun('customers.create', { name: 'Karim', phone })
  const customer = { phone, email: 'karim@example.org' }
  const { id } = await b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at: b.at(60), customer })
  const [holder] = await owner<{ email: string; phone: string | null }>(
    `select c.email, c.phone from appointments a join customers c on c.tenant_id = a.tenant_id and c.id = a.customer_id
     where a.tenant_id = $1 and a.id = $2`,
    [b.tenant.id, id],
  )
  expect(holder).toEqual({ email: 'karim@example.org', phone: null })
})
