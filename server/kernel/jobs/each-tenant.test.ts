import { expect, test } from 'vitest'
import type { Tenant } from '../operation.ts'
import { eachTenant } from './each-tenant.ts'

const tenants = [1, 2, 3].map((id): Tenant => ({
  id,
  slug: `t${id}`,
  name: `T${id}`,
  locale: 'fr',
  timezone: 'UTC',
  is_active: true,
  take_challenge: 'never',
}))

test('what fails in one organisation stops no other, and is told afterwards', async () => {
  const visited: number[] = []
  const visit = async ({ id }: Tenant) => {
    visited.push(id)
    if (id === 1) throw new Error('spoiled')
  }
  await expect(eachTenant(tenants, visit)).rejects.toThrow('1 of 3 failed; organisation 1: spoiled')
  expect(visited).toEqual([1, 2, 3])
})

test('nothing is told of what went well', async () => {
  await expect(eachTenant(tenants, async () => {})).resolves.toBeUndefined()
})
