import { expect, test } from 'vitest'
import { formatDate, formatDuration, formatDurationRange, formatTime, languageTag } from './format.ts'

const LANGUAGES = ['fr', 'en', 'ar'] as const

test('clock times are those of the site, on 24 hours, in Latin digits', () => {
  for (const language of LANGUAGES) {
    expect(formatTime('2026-03-02T23:05:00Z', 'Africa/Tunis', language)).toBe('00:05')
    expect(formatTime('2026-07-01T12:05:00Z', 'Europe/Paris', language)).toBe('14:05')
  }
})

test('the day changes at midnight of the site', () => {
  expect(formatDate('2026-03-02T23:30:00Z', 'Africa/Tunis', 'fr')).toBe('mardi 3 mars 2026')
  expect(formatDate('2026-03-02T23:30:00Z', 'America/Montreal', 'en')).toBe('Monday, 2 March 2026')
  expect(formatDate('2026-03-02T23:30:00Z', 'Africa/Tunis', 'ar')).toMatch(/الثلاثاء.*3 مارس 2026/)
})

test('durations are rounded up to whole minutes and told in hours when long', () => {
  expect([0, 1, 60, 61, 3599, 3600, 3900].map((seconds) => plain(formatDuration(seconds, 'fr')))).toEqual([
    '0 min',
    '1 min',
    '1 min',
    '2 min',
    '1 h',
    '1 h',
    '1 h 5 min',
  ])
  expect(plain(formatDuration(720, 'ar'))).toBe('12 د')
})

test('a range names its unit once, and contains both ends', () => {
  expect(plain(formatDurationRange(719, 1021, 'fr'))).toBe('11–18 min')
  expect(plain(formatDurationRange(719, 1021, 'ar'))).toBe('11–18 د')
  expect(plain(formatDurationRange(3000, 4000, 'fr'))).toBe('50 min – 1 h 7 min')
  expect(plain(formatDurationRange(60, 60, 'en'))).toBe('1 min')
})

test('no language prints other digits than Latin ones', () => {
  for (const language of LANGUAGES) {
    expect(new Intl.NumberFormat(languageTag(language)).resolvedOptions().numberingSystem).toBe('latn')
  }
  // Control: an unpinned locale does.
  expect(new Intl.NumberFormat('ar-EG').format(12)).toBe('١٢')
})

/** Without the kinds of space that Unicode's data uses in one release and not in the next. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')
