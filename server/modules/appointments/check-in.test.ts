import { describe, expect, test } from 'vitest'
import { jobs } from './index.ts'
import { anOfficeMaker, codeOf, type Office } from './test/office.ts'

const { db, owner, runtime, office } = await anOfficeMaker()

/** Moves an appointment so that it starts so many minutes from now. */
const startsIn = (id: number, minutes: number) =>
  owner(
    `update appointments a set start_at = at, end_at = at + interval '15 min', busy_from = at, busy_until = at + interval '15 min',
       day = (at at time zone s.timezone)::date
     from (select now() + make_interval(mins => $2) as at) clock, sites s where a.id = $1 and s.id = a.site_id`,
    [id, minutes],
  )
const bookedIn = async (b: Office, minutes: number, more: Record<string, unknown> = {}) => {
  const row = await b.book(more)
  await startsIn(row.id, minutes)
  return row
}

describe('check-in', () => {
  test('gives a ticket whose place follows from the booked time', async () => {
    const b = await office({ capacity: 5 })
    await b.run('queues.update', { id: b.queues[0]!.id, algorithm: 'appointment' })
    const walkIn = await b.run('tickets.take', { queue_id: b.queues[0]!.id, channel: 'reception' })
    const [soon, past] = [await bookedIn(b, 10), await bookedIn(b, -5)]
    const [first, second] = [
      await b.run('appointments.checkIn', { id: soon.id }),
      await b.run('appointments.checkIn', { id: past.id }),
    ]
    expect(first.ticket).toMatchObject({ channel: 'appointment', status: 'en_attente', queue_id: b.queues[0]!.id })
    expect(first.appointment).toMatchObject({ status: 'checked_in', ticket_id: first.ticket.id })
    const line = await owner<{ id: number }>(
      `select id from tickets where tenant_id = $1 and status = 'en_attente' order by rank, id`,
      [b.tenant.id],
    )
    expect(line.map(({ id }) => id)).toEqual([second.ticket.id, walkIn.id, first.ticket.id])
    expect(await codeOf(b.run('appointments.checkIn', { id: soon.id }))).toBe('already_checked_in')
  })

  test('walk-ins fill the gap that somebody who does not come leaves, and the late wait by rule', async () => {
    const b = await office({ capacity: 5, late_seconds: 300, no_show_after_seconds: 600 })
    await b.run('queues.update', { id: b.queues[0]!.id, algorithm: 'appointment' })
    const [absent, late] = [await bookedIn(b, -2), await bookedIn(b, -6)]
    const [first, second] = [
      await b.run('tickets.take', { queue_id: b.queues[0]!.id, channel: 'reception' }),
      await b.run('tickets.take', { queue_id: b.queues[0]!.id, channel: 'reception' }),
    ]
    // Nobody with an appointment has come: the counter does not wait for them.
    const agent = { id: b.agents[0]!.id }
    const called = await b.run('tickets.callNext', agent)
    expect(called.ticket.id).toBe(first.id)
    for (const step of ['tickets.start', 'tickets.complete']) await b.run(step, { id: called.ticket.id })
    const { ticket } = await b.run('appointments.checkIn', { id: late.id })
    expect((await b.run('tickets.callNext', agent)).ticket.id).toBe(second.id)
    await startsIn(absent.id, -70)
    await b.program('appointments.sweep')
    expect(await b.run('appointments.get', { id: absent.id })).toMatchObject({ status: 'no_show' })
    const [row] = await owner<{ appointment_at: string | null }>('select appointment_at from tickets where id = $1', [
      ticket.id,
    ])
    expect(row!.appointment_at).toBeNull()
  })

  test('by the own link only near the site, where the queue wants it', async () => {
    const b = await office({ capacity: 9, arrival_metres: 200 })
    const checkIn = async (position?: object) => {
      const { id, public_token } = await b.book()
      await startsIn(id, 0)
      return codeOf(b.stranger('appointments.checkInMine', { link: public_token, ...(position && { position }) }))
    }
    // A site that is not on the map asks nobody.
    expect(await checkIn()).toBe('ok')
    await owner('update sites set latitude = 45.7597, longitude = 4.8422 where tenant_id = $1', [b.tenant.id])
    expect(await checkIn()).toBe('position_required')
    expect(await checkIn({ latitude: 45.7597, longitude: 4.844 })).toBe('ok')
    expect(await checkIn({ latitude: 45.764, longitude: 4.8422 })).toBe('too_far')
    // The doubt of the device counts in its favour, but only so far.
    expect(await checkIn({ latitude: 45.7625, longitude: 4.8422, accuracy_metres: 140 })).toBe('ok')
    expect(await checkIn({ latitude: 48.85, longitude: 2.35, accuracy_metres: 1_000_000 })).toBe('too_far')
  })

  test('comes once of twenty who press at once', async () => {
    const b = await office()
    const { id } = await bookedIn(b, 0)
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => codeOf(b.run('appointments.checkIn', { id }))))
    expect(outcomes.filter((code) => code === 'ok')).toHaveLength(1)
    expect(outcomes.filter((code) => code === 'already_checked_in')).toHaveLength(19)
    expect(await owner('select id from tickets where tenant_id = $1', [b.tenant.id])).toHaveLength(1)
  })

  test('has a window: too early says how long, the late by rule', async () => {
    const b = await office({ capacity: 9, early_seconds: 600, late_seconds: 300 })
    const early = await bookedIn(b, 25)
    await expect(b.run('appointments.checkIn', { id: early.id })).rejects.toMatchObject({
      code: 'too_early',
      params: { minutes: 15 },
    })
    const bookedTime = async (late_rule: string) => {
      await b.configure({ late_rule })
      const { id } = await bookedIn(b, -10)
      const { ticket } = await b.run('appointments.checkIn', { id })
      const [row] = await owner<{ appointment_at: string | null }>('select appointment_at from tickets where id = $1', [
        ticket.id,
      ])
      return row!.appointment_at !== null
    }
    expect(await bookedTime('keep')).toBe(true)
    expect(await bookedTime('walk_in')).toBe(false)
    await b.configure({ late_rule: 'refuse' })
    const late = await bookedIn(b, -10)
    expect(await codeOf(b.run('appointments.checkIn', { id: late.id }))).toBe('too_late')
    expect(await codeOf(b.run('appointments.checkIn', { id: (await bookedIn(b, -4)).id }))).toBe('ok')
  })

  test('at a kiosk by code, link or the last digits, on the day and at the site', async () => {
    const b = await office({ capacity: 9 }, { sites: 2 })
    const [here, elsewhere] = b.sites.map(({ id }) => id)
    const arrive = (input: Record<string, unknown>, site_id = here) =>
      b.atKiosk('appointments.arrive', { site_id, ...input })
    const phone = (n: string) => ({ customer: { name: `P ${n}`, phone: n } })
    const one = await bookedIn(b, 0)
    const two = await bookedIn(b, 0, phone('06 12 34 56 78'))
    const three = await bookedIn(b, 0)
    expect(await codeOf(arrive({ code: one.code }, elsewhere))).toBe('not_found')
    expect((await arrive({ code: one.code })).appointment.id).toBe(one.id)
    expect(await codeOf(arrive({ code: one.code }))).toBe('already_checked_in')
    expect((await arrive({ phone_digits: '5678' })).appointment.id).toBe(two.id)
    expect(await codeOf(arrive({ link: three.public_token }, elsewhere))).toBe('not_found')
    expect((await arrive({ link: three.public_token })).appointment.id).toBe(three.id)
    await bookedIn(b, 0, phone('06 00 00 99 99'))
    await bookedIn(b, 0, phone('06 11 11 99 99'))
    expect(await codeOf(arrive({ phone_digits: '9999' }))).toBe('several_match')
    const tomorrow = await b.book(phone('06 22 22 77 77'))
    expect(await codeOf(arrive({ code: tomorrow.code }))).toBe('not_found')
    expect(await codeOf(arrive({}))).toBe('invalid_input')
    expect(await codeOf(arrive({ code: one.code, phone_digits: '5678' }))).toBe('invalid_input')
    expect(await codeOf(b.stranger('appointments.arrive', { site_id: here, code: one.code }))).toBe('unauthorized')
  })

  test('by the visitor’s own link', async () => {
    const b = await office()
    const row = await bookedIn(b, 0)
    const { ticket } = await b.stranger('appointments.checkInMine', { link: row.public_token })
    expect(ticket.public_token).toMatch(/^[0-9a-z]+-[0-9A-Za-z]{22}$/)
  })
})

test('who is not there in time is absent, once, and the place is free again', async () => {
  const b = await office({ no_show_after_seconds: 600 })
  const [gone, late] = [await bookedIn(b, -11), await bookedIn(b, -9)]
  expect(await b.program('appointments.sweep')).toEqual({ count: 1, more: false })
  expect(await b.program('appointments.sweep')).toEqual({ count: 0, more: false })
  const status = async (id: number) => (await b.run('appointments.get', { id })).status
  expect([await status(gone.id), await status(late.id)]).toEqual(['no_show', 'booked'])
  expect((await b.told()).filter((type) => type === 'appointment.no_show')).toHaveLength(1)
  expect(await codeOf(b.run('appointments.checkIn', { id: gone.id }))).toBe('appointment_over')
  const ahead = await bookedIn(b, 60)
  expect(await codeOf(b.run('appointments.noShow', { id: ahead.id }))).toBe('too_early')
  expect((await b.run('appointments.noShow', { id: late.id })).status).toBe('no_show')
})

describe('reminders', () => {
  const due = async (b: Office) =>
    owner<{ id: number; minutes: number }>(
      `select (data->'appointment'->>'id')::bigint as id, (data->>'minutes_before')::int as minutes from events
       where tenant_id = $1 and type = 'appointment.reminder_due' order by "offset"`,
      [b.tenant.id],
    )
  const bookedLongAgo = async (b: Office, minutes: number) => {
    const row = await bookedIn(b, minutes)
    await owner(`update appointments set created_at = created_at - interval '9 days' where id = $1`, [row.id])
    return row
  }

  test('are due once a rule and time, however many look', async () => {
    const b = await office({ capacity: 9, reminder_minutes: [120, 30] })
    const row = await bookedLongAgo(b, 100)
    await Promise.all(Array.from({ length: 8 }, () => b.program('appointments.sendReminders')))
    expect(await due(b)).toEqual([{ id: row.id, minutes: 120 }])
    await startsIn(row.id, 110)
    await b.program('appointments.sendReminders')
    expect(await due(b)).toHaveLength(2)
    await startsIn(row.id, 20)
    await b.program('appointments.sendReminders')
    // Both rules are due for the new time: the nearest speaks.
    expect((await due(b)).at(-1)).toEqual({ id: row.id, minutes: 30 })
    expect(await due(b)).toHaveLength(3)
  })

  test('control: looking first and then telling says it several times', async () => {
    const b = await office()
    const told: number[] = []
    // Both have looked before either writes, as it happens among many sooner or later.
    let looking = 2
    const allLooked = Promise.withResolvers<void>()
    const naive = () =>
      db.tenant(b.tenant.id, async (tx) => {
        const rows = await tx.query<{ id: number }>(
          'select a.id from appointments a where not exists (select from appointment_reminders r where r.appointment_id = a.id)',
        )
        if (--looking === 0) allLooked.resolve()
        await allLooked.promise
        for (const { id } of rows) {
          told.push(id)
          await tx.query(
            'insert into appointment_reminders (appointment_id, minutes, start_at) values ($1, 120, now()) on conflict do nothing',
            [id],
          )
        }
      })
    await bookedLongAgo(b, 100)
    await Promise.all([naive(), naive()])
    expect(told).toHaveLength(2)
  })

  test('say nothing of what was over when it was booked, nor of what is not booked or past', async () => {
    const b = await office({ capacity: 9, reminder_minutes: [1440, 60] })
    await bookedIn(b, 45)
    const cancelled = await bookedLongAgo(b, 45)
    await b.run('appointments.cancel', { id: cancelled.id })
    await bookedLongAgo(b, -1)
    await bookedLongAgo(b, 1500)
    await b.program('appointments.sendReminders')
    expect(await due(b)).toEqual([])
  })
})

test('the confirmation is sent by a job that holds no secret, in the visitor’s language and the site’s time', async () => {
  const b = await office({ confirmation: 'email' })
  const held = await b.stranger('appointments.book', {
    queue_id: b.queues[0]!.id,
    start_at: b.at(60),
    customer: { email: 'samira@example.org', locale: 'ar' },
  })
  const job = jobs.find(({ name }) => name === 'appointments.send_confirmation')!
  const payload = { appointment_id: held.id, base: 'https://smartqueue.example', tenant_id: b.tenant.id }
  await job.run({ runtime, tenants: async () => [b.tenant] }, payload)
  const mails = async () =>
    owner<{ subject: string; body: string }>(
      `select subject, body from outbox_messages where recipient = 'samira@example.org'`,
    )
  const [mail] = await mails()
  expect(mail!.subject).toContain('أكّد موعدك')
  const local = Temporal.Instant.from(held.start_at)
    .toZonedDateTimeISO('Europe/Paris')
    .toPlainTime()
    .toString()
    .slice(0, 5)
  expect(mail!.body).toContain(`${local} (Europe/Paris)`)
  const link = /\/a\/(\S+)/.exec(mail!.body)![1]!
  expect((await b.stranger('appointments.confirmMine', { link })).status).toBe('booked')
  // A retry after that has nothing to say.
  await job.run({ runtime, tenants: async () => [b.tenant] }, payload)
  expect(await mails()).toHaveLength(1)
})
