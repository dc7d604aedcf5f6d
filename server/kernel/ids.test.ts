import { expect, test } from 'vitest'
import { hashToken, newVisitorToken, randomBase62, tenantOfToken } from './ids.ts'

test('a token names its tenant and carries at least 128 random bits', () => {
  for (const tenantId of [1, 35, 36, 4711, Number.MAX_SAFE_INTEGER]) {
    const token = newVisitorToken(tenantId)
    expect(tenantOfToken(token)).toBe(tenantId)
    expect(Math.log2(62) * token.split('-')[1]!.length).toBeGreaterThanOrEqual(128)
  }
  expect(new Set(Array.from({ length: 1000 }, () => newVisitorToken(7))).size).toBe(1000)
  expect(hashToken('x')).toHaveLength(32)
})

test('text that is no token names no tenant', () => {
  const secret = randomBase62(22)
  for (const text of [
    '',
    '-',
    secret,
    `0-${secret}`,
    `-1-${secret}`,
    `A-${secret}`,
    `1-${secret.slice(1)}`,
    `1-${secret}é`,
    `zzzzzzzzzzz-${secret}`,
  ]) {
    expect([text, tenantOfToken(text)]).toEqual([text, undefined])
  }
})

test('every character is about equally likely', () => {
  const counts = new Map<string, number>()
  for (const character of randomBase62(62_000)) counts.set(character, (counts.get(character) ?? 0) + 1)
  expect(counts.size).toBe(62)
  // 1000 expected of each; 8 standard deviations away would be one flake in 10^13 runs.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(8 * Math.sqrt(1000))
})
