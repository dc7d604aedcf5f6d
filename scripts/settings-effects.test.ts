import { expect, test } from 'vitest'
import { settingsFaults, settingsOnScreens } from './settings-effects.ts'
import { PROOFS } from './settings-proofs.ts'

test('every setting on a screen of the console has a test of what it changes', () => {
  expect(settingsFaults(PROOFS)).toEqual([])
})

test('controls: a new setting, one that is gone, a test that was renamed and one of something else are seen', () => {
  const settings = settingsOnScreens()
  expect(settings).toContain('kiosks.settings.languages')
  expect(settings).toContain('sites.opening_hours.exceptions.intervals')
  // What a form leaves out is no setting.
  expect(settings).not.toContain('services.colour')
  const read = () => `test('tea is hot', () => brew({ heat: 3 }))`
  const faultsOf = (title: string, all: string[]) =>
    settingsFaults({ 'a.test.ts': { [title]: 'teas.heat teas.cup' } }, all, read).map((fault) => fault.split(' ')[0])
  expect(faultsOf('tea is hot', ['teas.heat'])).toEqual(['teas.cup', 'teas.cup'])
  expect(faultsOf('tea is warm', ['teas.heat', 'teas.cup'])).toEqual(['no', 'teas.cup'])
  expect(faultsOf('tea is hot', ['teas.heat', 'teas.cup', 'teas.milk'])).toEqual(['teas.cup', 'teas.milk'])
})
