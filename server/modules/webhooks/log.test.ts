import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from '../index.ts'
import { decodePlaces, encodePlaces } from './log.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, operations)

interface Page {
  results: { id: string; type: string; site_id: number; offset: number }[]
  next: string
  has_more: boolean
}
async function aHouse() {
  const t = await aTenant(owner, { sites: 3 })
  const run = as(t.admin, t.tenant)
  const take = (n: number) => run('tickets.take', { queue_id: t.queues[n]!.id, channel: 'api' })
  const written = async () =>
    (
      await owner<{ site_id: number; offset: number }>(
        'select site_id, "offset" from events where tenant_id = $1 order by site_id, "offset"',
        [t.tenant.id],
      )
    ).map(({ site_id, offset }) => `${site_id}:${offset}`)
  /** Reads to the end, from where the last reading ended. */
  async function readAll(reader: ReturnType<typeof as>, input: Record<string, unknown>, after?: string) {
    const seen: string[] = []
    let cursor = after
    for (;;) {
      const page = await reader<Page>('events.list', { limit: 7, ...input, ...(cursor && { after: cursor }) })
      seen.push(...page.results.map(({ site_id, offset }) => `${site_id}:${offset}`))
      cursor = page.next
      if (!page.has_more) return { seen, next: cursor }
    }
  }
  return { ...t, run, take, written, readAll }
}

test('the log is read once, whole and in each stream’s order, across sites and while it grows', async () => {
  const t = await aHouse()
  for (let i = 0; i < 25; i++) await t.take(i % 3)
  const first = await t.readAll(t.run, {})
  expect(first.seen.toSorted()).toEqual((await t.written()).toSorted())
  for (const site of t.sites) {
    const own = first.seen.filter((each) => each.startsWith(`${site.id}:`)).map((each) => Number(each.split(':')[1]))
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
  expect((await t.readAll(t.run, {}, first.next)).seen).toEqual([])
  for (let i = 0; i < 5; i++) await t.take(i % 3)
  const second = await t.readAll(t.run, {}, first.next)
  expect([...first.seen, ...second.seen].toSorted()).toEqual((await t.written()).toSorted())
  expect(second.seen).toHaveLength(5)
  const end = await t.run<Page>('events.list', { after: 'now' })
  expect(end).toMatchObject({ results: [], has_more: false })
  await t.take(1)
  expect((await t.readAll(t.run, {}, end.next)).seen).toHaveLength(1)
})

test('what is chosen is all there is of it, and `since` begins at its instant', async () => {
  const t = await aHouse()
  for (let i = 0; i < 6; i++) await t.take(i % 3)
  const [half] = await owner<{ at: string }>('select clock_timestamp() as at')
  for (let i = 0; i < 4; i++) await t.take(i % 3)
  expect((await t.readAll(t.run, { since: half!.at })).seen).toHaveLength(4)
  expect((await t.readAll(t.run, { site: t.sites[1]!.id })).seen).toHaveLength(3)
  expect((await t.readAll(t.run, { queue: t.queues[2]!.id })).seen).toHaveLength(3)
  expect((await t.readAll(t.run, { types: ['ticket.called'] })).seen).toEqual([])
  expect((await t.readAll(t.run, { types: ['ticket.*'] })).seen).toHaveLength(10)
})

test('a log that no longer goes back to the cursor says so', async () => {
  const t = await aHouse()
  for (let i = 0; i < 5; i++) await t.take(0)
  const { next } = await t.run<Page>('events.list', { limit: 2 })
  await owner('delete from events where tenant_id = $1 and "offset" = 3', [t.tenant.id])
  await expect(t.run('events.list', { after: next })).rejects.toMatchObject({ code: 'log_restarted' })
  const u = await aHouse()
  await u.take(0)
  const page = await u.run<Page>('events.list')
  await owner(`update streams set epoch = 'another' where tenant_id = $1`, [u.tenant.id])
  await expect(u.run('events.list', { after: page.next })).rejects.toMatchObject({ code: 'log_restarted' })
  for (const after of ['AA', 'AQ___', 'nonsense'])
    await expect(u.run('events.list', { after })).rejects.toMatchObject({ code: 'invalid_input' })
})

test('who is limited to a site reads that site; settings and people are for administrators', async () => {
  const t = await aHouse()
  for (let i = 0; i < 3; i++) await t.take(i)
  await t.run('webhooks.create', { url: 'https://example.org/' })
  const own = await t.written()
  expect((await t.readAll(t.run, {})).seen).toHaveLength(4)
  const supervisor = as(t.supervisor, t.tenant)
  expect((await t.readAll(supervisor, {})).seen.toSorted()).toEqual(own.filter((each) => !each.startsWith('0:')))
  const stranger = await aHouse()
  expect((await t.readAll(as(stranger.supervisor, stranger.tenant), {})).seen).toEqual([])
})

test('a cursor holds any places', () => {
  const place = fc.record({
    site_id: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    mark: fc.stringMatching(/^[0-9a-f]{6}$/),
  })
  fc.assert(
    fc.property(fc.uniqueArray(place, { selector: ({ site_id }) => site_id, maxLength: 50 }), (places) => {
      expect(decodePlaces(encodePlaces(places))).toEqual(places.toSorted((a, b) => a.site_id - b.site_id))
    }),
    { numRuns: 200 },
  )
  // A thousand sites fit into an address.
  const many = Array.from({ length: 1000 }, (_, i) => ({ site_id: i * 3, offset: 1_000_000 + i, mark: 'abcdef' }))
  expect(encodePlaces(many).length).toBeLessThan(12_000)
})
