import { expect, test } from 'vitest'
import { unlicensed, unlicensedDependencies } from './licences.ts'

test('every runtime dependency has a licence that was agreed to', () => {
  expect(unlicensedDependencies()).toEqual([])
})

test('others are named: the controls', () => {
  const faults = unlicensed({
    '': { license: 'GPL-3.0-only' },
    'node_modules/a': { license: 'GPL-3.0-only' },
    'node_modules/b': {},
    'node_modules/c/node_modules/d': { license: '(MIT AND AGPL-3.0-only)' },
    'node_modules/e': { license: '(GPL-2.0-only OR MIT)' },
    'node_modules/f': { license: 'GPL-3.0-only', dev: true },
    'node_modules/web-push': { license: 'SSPL-1.0' },
    'node_modules/g': { license: 'LGPL-3.0-or-later' },
  })
  expect(faults.map((line) => line.split(':')[0])).toEqual([
    'node_modules/a',
    'node_modules/b',
    'node_modules/c/node_modules/d',
    'node_modules/web-push',
    'node_modules/g',
  ])
})
