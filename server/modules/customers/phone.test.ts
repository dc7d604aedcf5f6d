import { expect, test } from 'vitest'
import { defaultCountry, normalisePhone } from './phone.ts'

const paris = { timezone: 'Europe/Paris', locale: 'fr' }

test.each([
  ['06 12 34 56 78', paris, '+33612345678'],
  ['+33 (0)6 12 34 56 78', paris, '+33612345678'],
  ['0033612345678', paris, '+33612345678'],
  ['+212 661-234567', paris, '+212661234567'],
  ['0661 23 45 67', { timezone: 'Africa/Casablanca', locale: 'ar' }, '+212661234567'],
  ['(415) 555-2671', { timezone: 'America/New_York', locale: 'en' }, '+14155552671'],
  ['٠٦١٢٣٤٥٦٧٨', paris, '+33612345678'],
])('%s', (typed, place, expected) => expect(normalisePhone(typed, place)).toBe(expected))

test.each(['', '12', 'abc', '+999123456789', '0612345', '06 12 34 56 78 90 12'])('%s is no number', (typed) => {
  expect(() => normalisePhone(typed, paris)).toThrow('invalid_input')
})

test('without a country in the zone, the language decides', () => {
  expect(defaultCountry('UTC', 'fr')).toBe('FR')
  expect(defaultCountry('Europe/Warsaw', 'fr')).toBe('PL')
})
