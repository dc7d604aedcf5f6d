import { describe, expect, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { addNightly, missedDays, slotDay } from './nightly.ts'
import type { Job } from './job.ts'

const { db, owner } = await testDatabase()
const job: Job = { name: 'test.night', nightly: '00:00', run: async () => {} }

/** Instants at which another day's slot came, seen by a scheduler that looks every five minutes. */
function firings(timezone: string, time: string, from: string, hours: number) {
  const found: { day: string; at: string }[] = []
  let instant = Temporal.Instant.from(from)
  let last = slotDay(instant, timezone, time)
  for (let i = 0; i < hours * 12; i++) {
    instant = instant.add({ minutes: 5 })
    const day = slotDay(instant, timezone, time)
    if (day !== last) found.push({ day, at: instant.toZonedDateTimeISO(timezone).toString({ smallestUnit: 'minute' }) })
    last = day
  }
  return found
}

describe('each local day has one slot', () => {
  test.each([
    // The clock is put forward: half past two does not exist, and comes an hour later.
    ['Europe/Paris', '02:30', '2027-03-27T12:00:00Z', ['2027-03-28T03:30+02:00', '2027-03-29T02:30+02:00']],
    // … and back: half past two comes twice, and counts the first time.
    ['Europe/Paris', '02:30', '2026-10-24T12:00:00Z', ['2026-10-25T02:30+02:00', '2026-10-26T02:30+01:00']],
    // Zones whose midnight is skipped, or comes twice.
    ['America/Sao_Paulo', '00:00', '2018-11-03T12:00:00Z', ['2018-11-04T01:00-02:00', '2018-11-05T00:00-02:00']],
    ['America/Sao_Paulo', '23:30', '2018-02-17T12:00:00Z', ['2018-02-17T23:30-02:00', '2018-02-18T23:30-03:00']],
    ['America/Sao_Paulo', '00:00', '2018-02-17T12:00:00Z', ['2018-02-18T00:00-03:00', '2018-02-19T00:00-03:00']],
    ['Asia/Beirut', '00:00', '2025-03-29T12:00:00Z', ['2025-03-30T01:00+03:00', '2025-03-31T00:00+03:00']],
    ['Africa/Cairo', '23:15', '2025-10-30T12:00:00Z', ['2025-10-30T23:15+03:00', '2025-10-31T23:15+02:00']],
  ])('%s at %s after %s', (timezone, time, from, slots) => {
    const found = firings(timezone, time, from, 49)
    expect(found.slice(0, 2).map(({ at }) => at.replace(/\[.*/, ''))).toEqual(slots)
    expect(new Set(found.map(({ day }) => day)).size).toBe(found.length)
  })

  test('a schedule by the clock on the wall alone skips one and repeats another', () => {
    const naive = (timezone: string, time: string, from: string) =>
      Array.from({ length: 49 * 12 }, (_, i) =>
        Temporal.Instant.from(from)
          .add({ minutes: 5 * i })
          .toZonedDateTimeISO(timezone)
          .toPlainTime()
          .toString()
          .slice(0, 5),
      ).filter((each) => each === time).length
    expect(naive('Europe/Paris', '02:30', '2027-03-27T12:00:00Z')).toBe(1)
    expect(naive('America/Sao_Paulo', '23:30', '2018-02-17T12:00:00Z')).toBe(3)
  })
})

test('after an outage every night is made up for, up to a week', () => {
  expect(missedDays('2026-11-20', null)).toEqual(['2026-11-20'])
  expect(missedDays('2026-11-20', '2026-11-20')).toEqual([])
  expect(missedDays('2026-11-20', '2026-11-17')).toEqual(['2026-11-18', '2026-11-19', '2026-11-20'])
  expect(missedDays('2026-11-20', '2026-01-01')).toHaveLength(7)
  // A clock that was put right backwards fires nothing a second time.
  expect(missedDays('2026-11-20', '2026-11-22')).toEqual([])
})

test('of ten schedulers one adds the job of a day, across both changes of the clock', async () => {
  const { tenant } = await aTenant(owner, { timezone: 'America/Sao_Paulo' })
  const look = (at: string) =>
    Promise.all(
      Array.from({ length: 10 }, () =>
        db.tenant(tenant.id, (tx) => addNightly(tx, tenant, [job], Temporal.Instant.from(at))),
      ),
    ).then((all) => all.flat())
  const added: string[] = []
  for (let hour = 0; hour < 52; hour += 2)
    added.push(...(await look(Temporal.Instant.from('2018-11-03T01:50:00Z').add({ hours: hour }).toString())))
  expect(added).toEqual(['2018-11-02', '2018-11-03', '2018-11-04', '2018-11-05'].map((day) => `test.night ${day}`))
  const [{ count } = {}] = await owner<{ count: number }>(
    `select count(*)::int as count from graphile_worker.jobs where task_identifier = 'test.night'`,
  )
  expect(count).toBe(4)
})
