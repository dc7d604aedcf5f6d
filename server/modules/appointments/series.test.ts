import { describe, expect, test } from 'vitest'
import { occurrences } from './series.ts'
import { anOfficeMaker, codeOf } from './test/office.ts'

const { office } = await anOfficeMaker()

describe('a rule', () => {
  test('keeps the site’s clock when it changes', () => {
    // The last Sunday of March 2027 is the 28th.
    expect(occurrences('FREQ=WEEKLY;COUNT=3', '2027-03-22T08:30:00Z', 'Europe/Paris')).toEqual([
      '2027-03-22T08:30:00Z',
      '2027-03-29T07:30:00Z',
      '2027-04-05T07:30:00Z',
    ])
    expect(occurrences('FREQ=MONTHLY;BYDAY=2TU;COUNT=2', '2026-12-08T09:00:00Z', 'UTC')).toEqual([
      '2026-12-08T09:00:00Z',
      '2027-01-12T09:00:00Z',
    ])
  })
  test.each(['FREQ=WEEKLY;COUNT=54', 'FREQ=DAILY;INTERVAL=1', 'FREQ=WEEKLY;COUNT=x', 'FREQ=NEVER;COUNT=2'])(
    '%s is refused',
    (rule) => expect(() => occurrences(rule, '2026-12-08T09:00:00Z', 'UTC')).toThrow('invalid_input'),
  )
})

test('a series is all or nothing, or leaves out what is taken; the rest of it is cancelled at once', async () => {
  const b = await office()
  const series = (more = {}) =>
    b.run('appointments.bookSeries', {
      queue_id: b.queues[0]!.id,
      start_at: b.at(60),
      rule: 'FREQ=DAILY;COUNT=4',
      ...more,
    })
  const taken = await b.book({ start_at: occurrences('FREQ=DAILY;COUNT=4', b.at(60), 'Europe/Paris')[1]! })
  const count = async () => (await b.run('appointments.list', { status: ['booked'] })).results.length
  expect(await codeOf(series())).toBe('slot_taken')
  // Nothing of the first is left.
  expect(await count()).toBe(1)
  const made = await series({ skip_taken: true })
  expect(made.appointments).toHaveLength(3)
  expect(made.skipped).toEqual([{ start_at: taken.start_at, code: 'slot_taken' }])
  expect(made.appointments.every((each: { series_id: number }) => each.series_id === made.series_id)).toBe(true)
  expect(await b.run('appointments.cancelSeries', { id: made.appointments[1].id })).toEqual({ cancelled: 2 })
  expect(await count()).toBe(2)
  expect(await b.run('appointments.cancelSeries', { id: taken.id })).toEqual({ cancelled: 1 })
})

test('several services of one visit follow each other, all or none', async () => {
  const b = await office({ duration_seconds: 1200 }, { queues: 2, sites: 2 })
  const [first, second] = b.queues.map(({ id }) => id) as [number, number]
  await b.run('booking-settings.create', { queue_id: second, duration_seconds: 1800 })
  const visit = (more = {}) =>
    b.run('appointments.bookSeveral', { queue_ids: [first, second], start_at: b.at(60), ...more })
  const { series_id, appointments } = await visit()
  expect(appointments).toMatchObject([
    { queue_id: first, start_at: b.at(60), end_at: b.at(80), series_id },
    { queue_id: second, start_at: b.at(80), end_at: b.at(110), series_id },
  ])
  // The first would be free, the second is not.
  expect(await codeOf(visit({ start_at: b.at(85) }))).toBe('slot_taken')
  expect((await b.run('appointments.list', {})).results).toHaveLength(2)
  expect(await codeOf(visit({ queue_ids: [first, b.queues[2]!.id] }))).toBe('invalid_input')
  expect(await b.run('appointments.cancelSeries', { id: series_id })).toEqual({ cancelled: 2 })
})
