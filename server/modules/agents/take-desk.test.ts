import { expect, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations as ticketOperations } from '../tickets/index.ts'
import { operations } from './index.ts'

const { db, owner } = await testDatabase()
const as = caller(testRuntime(db), [...operations, ...ticketOperations])

test('one window works at a desk, everybody who follows it knows which, and only its agent may say so', async () => {
  const bank = await aTenant(owner, { agents: 2, counters: 2 })
  const own = as(bank.agentActors[0]!, bank.tenant)
  const { id } = bank.agents[0]!
  const take = (desk: string) => own('agents.takeDesk', { id, desk })
  expect(await own('agents.board', { id })).toMatchObject({ desk: null })
  await take('one')
  const before = (await own('agents.board', { id })).offset
  expect(await own('agents.board', { id })).toMatchObject({ desk: 'one' })
  await take('one')
  expect((await own('agents.board', { id })).offset).toBe(before)
  await take('two')
  const after = await own('agents.board', { id })
  expect([after.desk, after.offset > before]).toEqual(['two', true])
  const other = as(bank.agentActors[1]!, bank.tenant)
  await expect(other('agents.takeDesk', { id, desk: 'three' })).rejects.toMatchObject({ code: 'forbidden' })
})
