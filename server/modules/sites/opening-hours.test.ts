import { describe, expect, test } from 'vitest'
import {
  checkOpeningHours,
  closesAt,
  exceptionAt,
  extendedHours,
  isOpen,
  nextOpening,
  type OpeningHours,
} from './opening-hours.ts'

const paris = 'Europe/Paris'
const at = (text: string) => Temporal.Instant.from(text)
const local = (text: string, zone = paris) => Temporal.ZonedDateTime.from(`${text}[${zone}]`).toInstant()
const office: OpeningHours = {
  weekly: {
    1: [
      ['08:30', '12:00'],
      ['13:30', '17:15'],
    ],
    2: [['08:30', '12:00']],
    5: [['20:00', '02:00']],
  },
  exceptions: [
    { date: '2026-11-23', intervals: [], reason: { fr: 'Inventaire', en: 'Stocktaking', ar: 'جرد' } },
    { date: '2026-11-25', intervals: [['10:00', '11:01']] },
  ],
}

describe('a week', () => {
  // 2026-11-16 is a Monday.
  const cases: [string, boolean][] = [
    ['2026-11-16T08:29:59', false],
    ['2026-11-16T08:30', true],
    ['2026-11-16T11:59:59.999', true],
    ['2026-11-16T12:00', false],
    ['2026-11-16T13:30', true],
    ['2026-11-16T17:14', true],
    ['2026-11-16T17:15', false],
    ['2026-11-18T10:00', false],
    ['2026-11-20T23:59', true],
    ['2026-11-21T01:59', true],
    ['2026-11-21T02:00', false],
    ['2026-11-23T09:00', false],
    ['2026-11-25T11:00', true],
    ['2026-11-25T11:01', false],
  ]
  test.each(cases)('%s open: %s', (text, open) => expect(isOpen(office, paris, local(text))).toBe(open))

  test('always open without hours', () => {
    expect(isOpen(null, paris, at('2026-01-01T00:00:00Z'))).toBe(true)
    expect(closesAt(null, paris, at('2026-01-01T00:00:00Z'))).toBeNull()
    expect(nextOpening(null, paris, at('2026-01-01T00:00:00Z'))).toEqual(at('2026-01-01T00:00:00Z'))
  })

  test('the reason of an exception is known all day, in the local date', () => {
    expect(exceptionAt(office, paris, local('2026-11-23T00:30'))?.reason?.ar).toBe('جرد')
    expect(exceptionAt(office, paris, local('2026-11-24T00:30'))).toBeUndefined()
  })
})

describe('the next opening', () => {
  const cases: [string, string | null][] = [
    ['2026-11-16T12:00', '2026-11-16T13:30'],
    ['2026-11-16T09:00', '2026-11-16T09:00'],
    // Monday the 23rd is an exception, so the week starts on Tuesday.
    ['2026-11-21T02:00', '2026-11-24T08:30'],
    ['2026-11-24T12:00', '2026-11-25T10:00'],
  ]
  test.each(cases)('from %s: %s', (from, next) =>
    expect(nextOpening(office, paris, local(from))).toEqual(next && local(next)),
  )

  test('a place that never opens', () =>
    expect(nextOpening({ weekly: {} }, paris, local('2026-11-16T12:00'))).toBeNull())
})

describe('the closing time', () => {
  test('is the end of the interval, past midnight too', () => {
    expect(closesAt(office, paris, local('2026-11-16T09:00'))).toEqual(local('2026-11-16T12:00'))
    expect(closesAt(office, paris, local('2026-11-20T21:00'))).toEqual(local('2026-11-21T02:00'))
    expect(closesAt(office, paris, local('2026-11-21T00:30'))).toEqual(local('2026-11-21T02:00'))
    expect(closesAt(office, paris, local('2026-11-16T12:30'))).toBeNull()
  })
  test('runs through adjoining and overlapping intervals', () => {
    const night: OpeningHours = {
      weekly: {
        1: [['18:00', '24:00']],
        2: [
          ['00:00', '03:00'],
          ['02:00', '05:00'],
        ],
      },
    }
    expect(closesAt(night, paris, local('2026-11-16T19:00'))).toEqual(local('2026-11-17T05:00'))
  })
  test('does not exist around the clock', () => {
    const day: [string, string][] = [['00:00', '24:00']]
    const always: OpeningHours = { weekly: { 1: day, 2: day, 3: day, 4: day, 5: day, 6: day, 7: day } }
    expect(isOpen(always, paris, local('2026-11-16T23:59:59'))).toBe(true)
    expect(closesAt(always, paris, local('2026-11-16T23:59:59'))).toBeNull()
  })
})

describe('when clocks change in Paris', () => {
  test('autumn: the hour from 02:00 exists twice, the night is 25 hours long', () => {
    const hours: OpeningHours = { weekly: { 6: [['22:00', '03:00']], 7: [['02:30', '04:00']] } }
    // 2026-10-25 (a Sunday) 03:00 CEST becomes 02:00 CET at 01:00 UTC.
    expect(isOpen(hours, paris, at('2026-10-25T00:30:00Z'))).toBe(true)
    expect(isOpen(hours, paris, at('2026-10-25T01:30:00Z'))).toBe(true)
    expect(closesAt({ weekly: { 6: [['22:00', '03:00']] } }, paris, at('2026-10-24T21:00:00Z'))).toEqual(
      at('2026-10-25T02:00:00Z'),
    )
    // 02:30 first happens in summer time.
    expect(nextOpening({ weekly: { 7: [['02:30', '04:00']] } }, paris, at('2026-10-24T22:00:00Z'))).toEqual(
      at('2026-10-25T00:30:00Z'),
    )
  })
  test('spring: an opening in the hour that is skipped happens an hour later, closing times hold', () => {
    const hours: OpeningHours = { weekly: { 7: [['02:30', '04:00']] } }
    // 2027-03-28 (a Sunday) 02:00 CET becomes 03:00 CEST at 01:00 UTC.
    expect(nextOpening(hours, paris, at('2027-03-27T12:00:00Z'))).toEqual(at('2027-03-28T01:30:00Z'))
    expect(closesAt(hours, paris, at('2027-03-28T01:45:00Z'))).toEqual(at('2027-03-28T02:00:00Z'))
    const office8: OpeningHours = { weekly: { 6: [['08:00', '12:00']], 7: [['08:00', '12:00']] } }
    expect(nextOpening(office8, paris, at('2027-03-27T12:00:00Z'))).toEqual(at('2027-03-28T06:00:00Z'))
  })
})

test('hours that contradict themselves are refused', () => {
  const twice = {
    weekly: {},
    exceptions: [
      { date: '2026-12-25', intervals: [] },
      { date: '2026-12-25', intervals: [] },
    ],
  }
  expect(() => checkOpeningHours(twice)).toThrow('invalid_input')
  expect(() => checkOpeningHours({ weekly: { 1: [['24:00', '12:00']] } })).toThrow('invalid_input')
  expect(() => checkOpeningHours(office)).not.toThrow()
})

describe('open longer today', () => {
  const extend = (now: string, until: string, reason?: { en: string }) =>
    extendedHours(office, paris, local(now), until, reason)

  test('the last interval of the weekday ends later, on this date only', () => {
    const hours = extend('2026-11-30T16:00', '18:30', { en: 'Many visitors' })
    expect(exceptionAt(hours, paris, local('2026-11-30T16:00'))).toEqual({
      date: '2026-11-30',
      intervals: [
        ['08:30', '12:00'],
        ['13:30', '18:30'],
      ],
      reason: { en: 'Many visitors' },
    })
    expect(closesAt(hours, paris, local('2026-11-30T16:00'))).toEqual(local('2026-11-30T18:30'))
    expect(closesAt(hours, paris, local('2026-12-07T16:00'))).toEqual(local('2026-12-07T17:15'))
    expect(hours.exceptions).toHaveLength(3)
    checkOpeningHours(hours)
  })

  test('an exception of the day is extended and keeps its reason; a closed day opens now', () => {
    expect(exceptionAt(extend('2026-11-25T10:30', '24:00'), paris, local('2026-11-25T10:30'))).toEqual({
      date: '2026-11-25',
      intervals: [['10:00', '24:00']],
    })
    expect(exceptionAt(extend('2026-11-23T09:12', '11:00'), paris, local('2026-11-23T09:12'))).toEqual({
      date: '2026-11-23',
      intervals: [['09:12', '11:00']],
      reason: { fr: 'Inventaire', en: 'Stocktaking', ar: 'جرد' },
    })
  })

  test.each([
    ['not later than planned', '2026-11-30T16:00', '17:15'],
    ['in the past', '2026-11-30T19:00', '18:30'],
    ['a night that ends tomorrow', '2026-11-27T21:00', '23:00'],
  ])('refused: %s', (_, now, until) => {
    expect(() => extend(now, until)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
