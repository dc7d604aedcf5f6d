import { expect, test } from 'vitest'
import { brandContrast, contrast, LEAST_CONTRAST, readable } from './contrast.ts'

test('contrast is that of WCAG', () => {
  expect(contrast('#000000', '#FFFFFF')).toBeCloseTo(21, 5)
  expect(contrast('#FFFFFF', '#000000')).toBeCloseTo(21, 5)
  // The lightest grey that passes on white, and the next one.
  expect(contrast('#767676', '#FFFFFF')).toBeGreaterThanOrEqual(4.5)
  expect(contrast('#777777', '#FFFFFF')).toBeLessThan(4.5)
})

test('T4 the nearest readable colour can be read, and what can be read stays as it is', () => {
  for (const colour of ['#FFC93C', '#7DB3FF', '#FF0000', '#00FF00', '#FFFFFF', '#E5007D']) {
    expect(brandContrast(colour)).toBeLessThan(LEAST_CONTRAST)
    expect(brandContrast(readable(colour))).toBeGreaterThanOrEqual(LEAST_CONTRAST)
  }
  for (const colour of ['#0A4DA3', '#000000', '#9B1C1C']) expect(readable(colour)).toBe(colour)
})
