import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import fr from '../../shared/locales/fr.json' with { type: 'json' }
import { negotiateLocale, translate } from './i18n.ts'

test('counts are declined: the six Arabic forms, French with none, one and many', () => {
  const ahead = (locale: 'fr' | 'ar', count: number) => translate(locale, 'explain.mine_position', { ahead: count })
  expect([0, 1, 2, 3, 11, 100].map((count) => ahead('ar', count))).toEqual([
    'أنت أول الطابور.',
    'شخص واحد قبلك.',
    'شخصان قبلك.',
    '3 أشخاص قبلك.',
    '11 شخصًا قبلك.',
    '100 شخص قبلك.',
  ])
  expect([0, 1, 2].map((count) => ahead('fr', count))).toEqual([
    'C’est bientôt à vous : vous êtes en tête.',
    '1 personne passe avant vous.',
    '2 personnes passent avant vous.',
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

test('every code that the server throws has a text', () => {
  const patterns: [prefix: string, pattern: RegExp][] = [
    ['errors.', /\bconflict\(\s*'([a-z_]+)'/g],
    ['errors.', /\bnew AppError\(\s*'[a-z_]+',\s*'([a-z_]+)'/g],
    ['fields.', /\binvalid\((?:[^,()]|\([^()]*\))+,\s*'([a-z_]+)'/g],
    ['', /'((?:page|errors|fields|ticket_status|agent_status|queue_status|channel|role)\.[a-z_]+)'/g],
  ]
  const sources = globSync('server/**/*.ts', { exclude: (path) => path.endsWith('.test.ts') })
  const used = new Set<string>()
  for (const source of sources.map((path) => readFileSync(path, 'utf8'))) {
    for (const [prefix, pattern] of patterns) for (const [, code] of source.matchAll(pattern)) used.add(prefix + code)
  }
  expect(used).toContain('errors.in_use')
  expect(used).toContain('fields.not_found')
  expect([...used].filter((key) => !Object.hasOwn(fr, key))).toEqual([])
})
