import { beforeAll, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from './index.ts'

let base: TestDatabase
let a: TenantFixture
let b: TenantFixture
let run: ReturnType<typeof caller>
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

beforeAll(async () => {
  base = await testDatabase()
  run = caller(testRuntime(base.db), operations)
  a = await aTenant(base.owner, { sites: 2, queues: 2 })
  b = await aTenant(base.owner)
})

test('a display shows queues of its own site only', async () => {
  const supervisor = run(a.supervisor, a.tenant)
  const [site, otherSite] = a.sites
  const ofSite = (id: number) => a.queues.filter(({ site_id }) => site_id === id).map((queue) => queue.id)
  const queue_ids = ofSite(site!.id)
  const display = await supervisor('displays.create', {
    site_id: site!.id,
    name: 'Hall',
    queue_ids,
    settings: { languages: ['fr', 'ar'] },
  })
  expect(display).toMatchObject({
    site_id: site!.id,
    name: 'Hall',
    queue_ids,
    settings: { languages: ['fr', 'ar'] },
    is_active: true,
  })
  expect(await supervisor('displays.update', { id: display.id, queue_ids: [] })).toMatchObject({ queue_ids: [] })
  for (const id of [ofSite(otherSite!.id)[0]!, b.queues[0]!.id, 987_654_321]) {
    expect(await code(supervisor('displays.update', { id: display.id, queue_ids: [id] }))).toBe('not_found')
  }
  expect(await code(supervisor('displays.create', { site_id: b.sites[0]!.id, name: 'X' }))).toBe('not_found')
  expect(await code(supervisor('displays.update', { id: display.id, site_id: otherSite!.id }))).toBe('invalid_input')
  expect(await code(run(b.admin, b.tenant)('displays.get', { id: display.id }))).toBe('not_found')
  expect(await code(run(a.agentActors[0]!, a.tenant)('displays.create', { site_id: site!.id, name: 'X' }))).toBe(
    'forbidden',
  )
  expect(await run(a.display, a.tenant)('displays.get', { id: display.id })).toMatchObject({ name: 'Hall' })
})
