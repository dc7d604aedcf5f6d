import { expect, test } from 'vitest'
import { negotiateLocale, translate } from './i18n.ts'

test('counts are declined: the six Arabic forms, French with none, one and many', () => {
  const ahead = (locale: 'fr' | 'ar', count: number) => translate(locale, 'page.people_ahead', { count })
  expect([0, 1, 2, 3, 11, 100].map((count) => ahead('ar', count))).toEqual([
    'أنت التالي',
    'شخص واحد أمامك',
    'شخصان أمامك',
    '3 أشخاص أمامك',
    '11 شخصًا أمامك',
    '100 شخص أمامك',
  ])
  expect([0, 1, 2].map((count) => ahead('fr', count))).toEqual([
    'Vous êtes le prochain',
    '1 personne avant vous',
    '2 personnes avant vous',
  ])
})

test('a text that does not exist is its key, whatever the key', () => {
  for (const key of ['errors.no_such_code', 'constructor', '__proto__', '']) expect(translate('ar', key)).toBe(key)
})

test('a message whose values are missing is not shown half empty', () => {
  expect(translate('fr', 'fields.too_long', { limit: 200 })).toMatch(/200/)
  expect(translate('fr', 'fields.too_long')).toBe('fields.too_long')
})

test('what people typed is shown as typed, not read as markup or as a message', () => {
  const number = '<b>{count}</b>'
  expect(translate('en', 'page.call_sentence', { number, counter: "5'" })).toBe(`Number ${number}, 5'`)
})

test.each([
  [undefined, 'ar', 'ar'],
  ['', 'en', 'en'],
  ['fr-CA,fr;q=0.9,en;q=0.8', 'ar', 'fr'],
  ['de, ar-EG;q=0.8, fr;q=0.9', 'en', 'fr'],
  ['AR', 'fr', 'ar'],
  ['en;q=0, ar;q=0.1', 'fr', 'ar'],
  ['de, *;q=0.5', 'ar', 'ar'],
  ['en;q=x, constructor', 'fr', 'fr'],
  [','.repeat(10_000), 'fr', 'fr'],
] as const)('Accept-Language %j with %s to fall back on gives %s', (header, fallback, expected) => {
  expect(negotiateLocale(header, fallback)).toBe(expected)
})
