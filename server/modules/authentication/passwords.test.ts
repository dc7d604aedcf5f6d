import { expect, test } from 'vitest'
import { checkPassword, hashPassword, passwordMatches, withPasswordSlot } from './passwords.ts'

test('a password opens what it was hashed for, however the keyboard spells it', async () => {
  const stored = await hashPassword('crème brûlée ①')
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwordMatches(stored, 'crème brûlée ①'.normalize('NFD'))).toBe(true)
  expect(await passwordMatches(stored, 'creme brulee 1')).toBe(false)
  expect(await passwordMatches(null, 'anything')).toBe(false)
  expect(await passwordMatches(undefined, 'anything')).toBe(false)
})

test('one hashes at a time, twenty wait in order, the next is turned away', async () => {
  let running = 0
  let most = 0
  const order: number[] = []
  const finish: (() => void)[] = []
  const work = (n: number) =>
    withPasswordSlot(async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => finish.push(resolve))
      order.push(n)
      running--
    })
  const all = Array.from({ length: 21 }, (_, n) => work(n))
  await expect(work(21)).rejects.toMatchObject({ code: 'rate_limited', status: 429 })
  while (order.length < 21) {
    finish.splice(0).forEach((resolve) => resolve())
    await new Promise(setImmediate)
  }
  await Promise.all(all)
  expect(most).toBe(1)
  expect(order).toEqual(Array.from({ length: 21 }, (_, n) => n))
  await expect(withPasswordSlot(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await withPasswordSlot(() => Promise.resolve('free again'))).toBe('free again')
})

test.each([
  'aaaaaaaaaa',
  '1234567890',
  'azertyuiop',
  'Password123!',
  'agent@demo.example',
  'agentagent',
  'MotDePasse2026',
  // Leaked often, or that with a year behind it.
  'qwertyuiop1',
  '1q2w3e4r5t',
  'liverpool1',
  'Sunshine2026!',
  'iloveyou1234',
])('%s is refused', (password) => expect(() => checkPassword(password, 'agent@demo.example')).toThrow('invalid_input'))
test('an ordinary one is not', () =>
  expect(() => checkPassword('trois petits chats', 'agent@demo.example')).not.toThrow())
