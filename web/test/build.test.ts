import { randomBytes } from 'node:crypto'
import { globSync, readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { APPS } from '../build/apps.ts'
import { builtManifest, sourceHash } from '../build/manifest.ts'
import { compileMessage } from '../build/messages.ts'
import { DIST } from '../build/paths.ts'
import { messagesOf } from '../build/plugin.ts'
import { brotli, overBudget, type Sizes } from '../build/sizes.ts'
import { addMessages, t } from '../ui/messages.ts'

const sizes = (js: number): Sizes => ({ js, css: 0, fonts: { latin: 0, arabic: 0 } })

test('X11 an app that grows beyond its budget is refused, by how much', () => {
  const { budget } = APPS['visitor']!
  expect(overBudget('visitor', sizes(budget.js), budget)).toEqual([])
  const grown = brotli(randomBytes(budget.js + 500)).length
  expect(overBudget('visitor', sizes(grown), budget)).toEqual([
    `visitor: JavaScript is ${grown} bytes, ${grown - budget.js} more than its budget of ${budget.js}`,
  ])
})

test('X11 what a ticket machine loads for a printer on a wire stays below 24 kB', () => {
  const [file] = globSync(`${DIST}assets/kiosk/printer-*.js.br`)
  expect(statSync(file!).size).toBeLessThan(24_000)
})

test('X11 the camera of what is near comes later and stays below 6 kB', () => {
  const [file] = globSync(`${DIST}assets/nearby/lens-*.js.br`)
  expect(statSync(file!).size).toBeLessThan(6000)
})

test('what is served was built from these sources', () => {
  expect(builtManifest()?.hash).toBe(sourceHash())
})

test('X1 no colour hangs on the language or its direction: what reads well in one reads as well in the other', () => {
  const COLOUR = /(?:color|background|border|outline|fill|stroke|opacity|shadow|filter)[\w-]*:|--(?!fs|lh)[\w-]+:/
  const coloured = (css: string) =>
    [...css.matchAll(/([^{}]*)\{([^{}]*)\}/g)].flatMap(([, selector, rules]) =>
      /:lang\(|\[lang|\[dir|:dir\(/.test(selector!) && COLOUR.test(rules!) ? [selector!.trim()] : [],
    )
  expect(coloured(':lang(ar) .a{color:red}.b{color:red}')).toEqual([':lang(ar) .a'])
  const styles = globSync(`${DIST}assets/**/*.css`)
  expect(styles.length).toBeGreaterThan(4)
  for (const file of styles) expect([file, coloured(readFileSync(file, 'utf8'))]).toEqual([file, []])
})

test('messages keep plurals and choices, and need no parser', () => {
  addMessages('fr', {
    'ui.undo': compileMessage('{count, plural, =0 {rien} one {# pas} many {# pas} other {# pas de {who}}}'),
    'ui.close': compileMessage('{kind, select, a {A {n, number}} other {autre}}'),
  })
  expect(t('ui.undo', { count: 0 }, 'fr')).toBe('rien')
  expect(t('ui.undo', { count: 1 }, 'fr')).toBe('1 pas')
  expect(t('ui.undo', { count: 12, who: 'loup' }, 'fr')).toBe('12 pas de loup')
  expect(t('ui.close', { kind: 'a', n: 1200 }, 'fr')).toBe('A 1\u202f200')
  expect(t('ui.close', { kind: 'z' }, 'fr')).toBe('autre')
})

test('six Arabic counts are six sentences', () => {
  addMessages('ar', messagesOf(['ui'], 'ar') as never)
  const texts = [0, 1, 2, 3, 11, 100].map((count) => t('ui.age_seconds', { count }, 'ar'))
  expect(new Set(texts).size).toBe(6)
})
