import { beforeEach, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { spiedDatabase } from '../../test/spied.ts'
import * as tickets from '../tickets/index.ts'
import * as webhooks from '../webhooks/index.ts'

/** The part of the log that ended before all that is told here. */
const OLD = 'events_beginning'
const { db: plain, owner } = await testDatabase()

const { db, statements } = spiedDatabase(plain)
const as = caller(testRuntime(db), [...tickets.operations, ...webhooks.operations])

interface Plan {
  'Relation Name'?: string
  'Actual Loops': number
  Plans?: Plan[]
}
const partsIn = (plan: Plan): string[] => [
  ...(plan['Actual Loops'] > 0 && plan['Relation Name'] ? [plan['Relation Name']] : []),
  ...(plan.Plans ?? []).flatMap(partsIn),
]
/** The parts of the log that the statements of `ask` looked into, as the application's role runs them. */
async function partsOf(ask: () => Promise<unknown>): Promise<string[]> {
  statements.length = 0
  await ask()
  const looked = new Set<string>()
  for (const { text, values } of statements.filter((each) => / events\s/.test(each.text))) {
    const row = await plain.tenant(bank.tenant.id, (tx) =>
      tx.one<{ 'QUERY PLAN': { Plan: Plan }[] }>(`explain (analyze, format json) ${text}`, values),
    )
    for (const name of partsIn(row['QUERY PLAN'][0]!.Plan)) if (name.startsWith('events_')) looked.add(name)
  }
  expect(looked.size).toBeGreaterThan(0)
  return [...looked]
}

let bank: TenantFixture
let run: ReturnType<typeof as>
let site: number
const take = () => run('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'reception' })
/** As if a clock had been set back for a moment. */
const displace = (...offsets: number[]) =>
  owner(
    `update events set at = at - interval '3 years' where tenant_id = $1 and site_id = $2 and "offset" = any($3::bigint[])`,
    [bank.tenant.id, site, offsets],
  )
const before = async (interval: string) =>
  (await owner<{ at: string }>('select now() - $1::interval as at', [interval]))[0]!.at
beforeEach(async () => {
  bank = await aTenant(owner)
  run = as(bank.admin, bank.tenant)
  site = bank.sites[0]!.id
})

interface Page {
  results: { offset: number; type: string }[]
  next: string
  has_more: boolean
}
const list = (input: object) => run<Page>('events.list', { ...input })
const offsetsOf = ({ results }: Page) => results.map(({ offset }) => offset)

test('who reads the log on looks into its recent parts only, and loses nothing of a clock that was set back', async () => {
  await take()
  await take()
  const { next } = await list({})
  await take()
  await take()
  expect(await partsOf(() => list({ after: next }))).not.toContain(OLD)
  expect(await partsOf(async () => list({ since: await before('1 hour') }))).not.toContain(OLD)
  const half = await list({ limit: 1 })
  expect(await partsOf(() => list({ after: half.next }))).not.toContain(OLD)
  // Control: from the beginning on, every part is searched.
  expect(await partsOf(() => list({}))).toContain(OLD)

  for (const gone of [3, 4]) {
    await displace(gone)
    expect(offsetsOf(await list({ after: next }))).toEqual([3, 4])
  }
  expect(offsetsOf(await list({ after: half.next }))).toEqual([2, 3, 4])
  const all = await list({ after: next })
  expect(await list({ after: all.next })).toMatchObject({ results: [], has_more: false })
})

test('a cursor of the version before, one of fewer sites and one of an invented time go on', async () => {
  await take()
  await take()
  const { decodePlaces, encodePlaces } = await import('../webhooks/log.ts')
  const { next } = await list({ limit: 1 })
  const places = decodePlaces(next)
  const clock = places.at(-1)!
  expect(places.slice(0, -1).map(({ site_id }) => site_id)).toContain(site)
  expect(offsetsOf(await list({ after: encodePlaces(places.slice(0, -1)) }))).toEqual([2])
  expect(offsetsOf(await list({ after: encodePlaces([clock]) }))).toEqual([1, 2])
  for (const offset of [0, Number.MAX_SAFE_INTEGER])
    expect(offsetsOf(await list({ after: encodePlaces([...places.slice(0, -1), { ...clock, offset }]) }))).toEqual([2])
})

test('what is sent again of a time is looked for in the parts of that time', async () => {
  const hook = await run<{ id: number }>('webhooks.create', { url: 'https://example.org/', events: ['ticket.*'] })
  for (let i = 0; i < 3; i++) await take()
  const replay = (since: string, rest: object = {}) =>
    run<{ count: number; next_since: string | null }>('webhooks.replay', { id: hook.id, since, ...rest })
  const hour = await before('1 hour')
  expect(await partsOf(() => replay(hour))).not.toContain(OLD)
  // Control: of a time that lies there, it is searched.
  expect(await partsOf(async () => replay(await before('30 years')))).toContain(OLD)
  expect(await replay(hour)).toEqual({ count: 3, next_since: null })
  expect(await replay(hour, { until: await before('30 minutes') })).toEqual({ count: 0, next_since: null })
  expect(await replay(await before('2 hours'), { until: hour })).toEqual({ count: 0, next_since: null })
  expect(await replay(await before('-1 hours'), { until: hour })).toEqual({ count: 0, next_since: null })
  await displace(3)
  expect(await replay(hour, { until: await before('-1 hours') })).toEqual({ count: 3, next_since: null })
})

test('what is to be delivered is looked for in the part where it happened, however old', async () => {
  const { claimDeliveries } = await import('../webhooks/sending/store.ts')
  const hook = await run<{ id: number }>('webhooks.create', { url: 'https://example.org/', events: ['ticket.*'] })
  for (let i = 0; i < 6; i++) await take()
  await displace(5, 6)
  await run('webhooks.replay', { id: hook.id, since: await before('30 years') })
  const claim = () => db.tenant(bank.tenant.id, (tx) => claimDeliveries(tx, hook.id, 1))
  // What happened then is sent first.
  const [first] = [await claim(), await claim()].flat()
  expect(first).toMatchObject({ offset: 5, data: expect.any(Object) })
  expect(await partsOf(claim)).not.toContain(OLD)
  // Control: as long as nobody knows when, every part is searched.
  await owner(
    `update webhook_deliveries set event_at = null, status = 'pending', due_at = now() where tenant_id = $1`,
    [bank.tenant.id],
  )
  expect(await partsOf(claim)).toContain(OLD)
})

test('a day is played from the parts of that day', async () => {
  for (let i = 0; i < 5; i++) await take()
  await owner(
    `update events set at = at - interval '1 day' * (case "offset" when 1 then 2 when 2 then 1 when 3 then 1 else 0 end)
     where tenant_id = $1`,
    [bank.tenant.id],
  )
  const [days] = await owner<{ today: string; yesterday: string }>(
    `select to_char(now() at time zone timezone, 'YYYY-MM-DD') as today,
       to_char((now() - interval '1 day') at time zone timezone, 'YYYY-MM-DD') as yesterday from sites where id = $1`,
    [site],
  )
  const play = async (day: string, after?: number) =>
    (
      await run<{ events: { offset: number }[] }>('sites.replay', { id: site, day, ...(after && { after }) })
    ).events.map(({ offset }) => offset)
  expect(await play(days!.today)).toEqual([4, 5])
  expect(await play(days!.yesterday)).toEqual([2, 3])
  expect(await play(days!.yesterday, 2)).toEqual([3])
  expect(await play(days!.yesterday, 3)).toEqual([])
  expect(await partsOf(() => play(days!.today))).not.toContain(OLD)
  // Control: the part of a day that was played is searched.
  await displace(1)
  const [old] = await owner<{ day: string }>(
    `select to_char(at, 'YYYY-MM-DD') as day from events where tenant_id = $1 and "offset" = 1`,
    [bank.tenant.id],
  )
  expect(await partsOf(() => play(old!.day))).toContain(OLD)
})

test('paces are measured from the recent parts, wherever clocks were set', async () => {
  const refresh = () => run('queues.refresh')
  const state = async () =>
    (
      await owner<{ samples: number; measured_at: string | null }>(
        'select samples, measured_at from queue_states where queue_id = $1',
        [bank.queues[0]!.id],
      )
    )[0]!
  const serve = async () => {
    const { id } = await take()
    await run('tickets.call', { id, agent_id: bank.agents[0]!.id })
    await run('tickets.start', { id })
    await run('tickets.complete', { id })
    const [{ last }] = (await owner<{ last: number }>(
      'select last_offset as last from streams where tenant_id = $1 and site_id = $2',
      [bank.tenant.id, site],
    )) as [{ last: number }]
    return last
  }
  await serve()
  // Control: as long as nobody knows when, every part is searched.
  expect((await state()).measured_at).toBe(null)
  statements.length = 0
  await refresh()
  const forget = () => owner('update queue_states set measured_at = null where queue_id = $1', [bank.queues[0]!.id])
  const known = (await state()).measured_at
  expect(await state()).toMatchObject({ samples: 1, measured_at: expect.any(String) })
  await forget()
  await owner('update queue_states set measured_offset = 0 where queue_id = $1', [bank.queues[0]!.id])
  const { text } = statements.find((each) => each.text.includes('queue_states'))!
  expect(await partsOf(() => db.tenant(bank.tenant.id, (tx) => tx.query(text)))).toContain(OLD)
  await refresh()
  expect((await state()).measured_at).toBe(known)
  expect(await partsOf(refresh)).not.toContain(OLD)

  // Its clock stands years back, as the site's last event shows.
  const last = await serve()
  await displace(last - 1, last)
  await refresh()
  expect((await state()).samples).toBe(3)
  await serve()
  await refresh()
  expect((await state()).samples).toBe(4)
  // Nobody was served here for long, but the site goes on: its place in time follows, once.
  await owner(`update queue_states set measured_at = now() - interval '40 days' where queue_id = $1`, [
    bank.queues[0]!.id,
  ])
  await take()
  await refresh()
  const moved = (await state()).measured_at!
  expect(Temporal.Instant.compare(moved, await before('1 hour'))).toBe(1)
  await take()
  await refresh()
  expect((await state()).measured_at).toBe(moved)
})
