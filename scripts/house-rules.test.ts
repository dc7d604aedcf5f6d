import { expect, test } from 'vitest'
import { houseRuleViolations } from './house-rules.ts'

const rulesBroken = (file: string, text: string) =>
  houseRuleViolations([file], () => text).map((line) => line.split(': ')[1])

test.each([
  ['.a { margin-left: 1px }'],
  ['.a {\n  left: 0;\n}'],
  ['.a { text-align: right; }'],
  ['.a { border-right-width: 1px }'],
])('a physical direction is refused: %s', (css) => {
  expect(rulesBroken('web/ui/base.css', css)).toEqual(['logical-css'])
})
test.each([['.a { margin-inline-start: 1px; text-align: start }'], ['.left { top: 0 }'], ['.a { --left: 1px }']])(
  'a logical one is not: %s',
  (css) => {
    expect(rulesBroken('web/ui/base.css', css)).toEqual([])
  },
)
test.each([
  ["import { x } from '../../../server/config.ts'", 'web/apps/visitor/main.tsx'],
  ["import { x } from '../console/main.tsx'", 'web/apps/visitor/main.tsx'],
])('a screen keeps to itself: %s', (text, file) => {
  expect(rulesBroken(file, text)).toEqual(['screens-import-no-server'])
})
test('two migrations of one number are refused', () => {
  const files = ['db/migrations/000073_a.sql', 'db/migrations/000074_b.sql', 'db/migrations/000074_c.sql']
  expect(houseRuleViolations(files, () => '-- expand\n')).toEqual([expect.stringContaining('000074: migration-number')])
  expect(houseRuleViolations(files.slice(0, 2), () => '-- expand\n')).toEqual([])
})
