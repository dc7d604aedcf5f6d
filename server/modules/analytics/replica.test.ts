import { expect, test } from 'vitest'
import { operations } from '../index.ts'

test('only queries of analytics may read what is a moment old', () => {
  const readers = operations.filter(({ pool }) => pool === 'replica')
  expect(readers.length).toBeGreaterThan(8)
  for (const { id, kind } of readers) expect(`${kind} ${id}`).toMatch(/^query analytics\./)
})
