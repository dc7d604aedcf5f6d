import { beforeAll, describe, expect, test } from 'vitest'
import { etagOf } from '../../kernel/etag.ts'
import { stringifyOutput } from '../../kernel/validate.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from './index.ts'

let base: TestDatabase
let a: TenantFixture
let b: TenantFixture
let run: ReturnType<typeof caller>
let admin: ReturnType<typeof run>
let other: ReturnType<typeof run>

beforeAll(async () => {
  base = await testDatabase()
  run = caller(testRuntime(base.db), operations)
  a = await aTenant(base.owner, { queues: 3, counters: 2, agents: 1 })
  b = await aTenant(base.owner)
  admin = run(a.admin, a.tenant)
  other = run(b.admin, b.tenant)
})

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const events = (siteId: number) =>
  base.owner<{ type: string; data: any; actor: string }>(
    'select type, data, actor from events where tenant_id = $1 and site_id = $2 order by "offset"',
    [a.tenant.id, siteId],
  )

describe('a site', () => {
  test('is created with a slug, the zone of the tenant and a stream of its own', async () => {
    const site = await admin('sites.create', { name: "Mairie d'Évry" })
    expect(site).toMatchObject({
      name: "Mairie d'Évry",
      slug: 'mairie-d-evry',
      timezone: 'Europe/Paris',
      address: '',
      latitude: null,
      opening_hours: null,
      is_active: true,
    })
    expect(site.created_at).toMatch(/^\d{4}-.*Z$/)
    expect(await admin('sites.get', { id: site.id })).toEqual(site)
    expect((await admin('sites.create', { name: 'Mairie d’Évry' })).slug).toBe('mairie-d-evry-2')
    expect((await admin('sites.create', { name: 'بلدية' })).slug).toBe('site')
    expect(await events(site.id)).toEqual([{ type: 'site.created', data: { site }, actor: a.admin.principal }])
  })

  test('keeps opening hours as they were given', async () => {
    const opening_hours = {
      weekly: {
        1: [
          ['08:30', '12:00'],
          ['22:00', '02:00'],
        ],
      },
      exceptions: [{ date: '2026-12-25', intervals: [], reason: { fr: 'Noël', en: 'Christmas', ar: 'عيد الميلاد' } }],
    }
    const site = await admin('sites.create', { name: 'Hours', opening_hours })
    expect((await admin('sites.get', { id: site.id })).opening_hours).toEqual(opening_hours)
    expect((await admin('sites.update', { id: site.id, opening_hours: null })).opening_hours).toBeNull()
  })

  test.each([
    [{ timezone: 'Europe/Nowhere' }, '/timezone', 'timezone'],
    [{ timezone: '+01:00' }, '/timezone', 'pattern'],
    [{ opening_hours: { weekly: { 8: [] } } }, '/opening_hours/weekly/8', 'unknown'],
    [{ opening_hours: { weekly: { 1: [['8:00', '12:00']] } } }, '/opening_hours/weekly/1/0/0', 'pattern'],
    [{ opening_hours: { weekly: { 1: [['24:00', '12:00']] } } }, '/opening_hours/weekly/1/0/0', 'range'],
    [{ name: '' }, '/name', 'too_short'],
    [{ name: 'a\u0000b' }, '/name', 'pattern'],
    [{ id: 7 }, '/id', 'unknown'],
    [{ tenant_id: 7 }, '/tenant_id', 'unknown'],
  ])('refuses %j', async (input, path, fieldCode) => {
    await expect(admin('sites.create', { name: 'X', ...input })).rejects.toMatchObject({
      code: 'invalid_input',
      fields: expect.arrayContaining([expect.objectContaining({ path, code: fieldCode })]),
    })
  })
})

describe('a change', () => {
  test('merges: absent fields stay, null empties, updated_at moves, the event carries the row', async () => {
    const site = await admin('sites.create', { name: 'Merge', address: 'here', latitude: 48.5, longitude: 2.25 })
    const changed = await admin('sites.update', { id: site.id, name: 'Merged', latitude: null })
    expect(changed).toEqual({ ...site, name: 'Merged', latitude: null, updated_at: changed.updated_at })
    expect(changed.updated_at > site.updated_at).toBe(true)
    expect((await events(site.id)).at(-1)).toMatchObject({ type: 'site.updated', data: { site: changed } })
    await expect(admin('sites.update', { id: site.id, name: null })).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('under If-Match goes through once for each version', async () => {
    const get = operations.find(({ id }) => id === 'services.get')!
    const [service] = a.services
    const version = async () => etagOf(stringifyOutput(get, await admin('services.get', { id: service!.id })))
    const ifMatch = await version()
    const input = { id: service!.id, name: 'Passports' }
    await admin('services.update', input, { ifMatch })
    await expect(admin('services.update', input, { ifMatch })).rejects.toMatchObject({
      status: 412,
      code: 'etag_mismatch',
    })
    expect(await code(admin('services.update', input, { ifMatch: `W/${await version()}` }))).toBe('etag_mismatch')
    await admin('services.update', input, { ifMatch: `"other", ${await version()}` })
    await admin('services.update', input, { ifMatch: '*' })
    const racing = await version()
    const race = await Promise.allSettled(
      ['one', 'two', 'three'].map((name) => admin('services.update', { id: service!.id, name }, { ifMatch: racing })),
    )
    expect(race.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await code(admin('counters.delete', { id: a.counters[1]!.id }, { ifMatch: '"old"' }))).toBe('etag_mismatch')
  })
})

describe('the wall between tenants', () => {
  test('a foreign id is a missing id, in every place', async () => {
    const missing = 987_654_321
    const answers = (run: typeof admin, siteId: number, counterId: number) =>
      Promise.all(
        [
          run('sites.get', { id: siteId }),
          run('sites.update', { id: siteId, name: 'mine' }),
          run('sites.delete', { id: siteId }),
          run('counters.create', { site_id: siteId, name: 'mine' }),
          run('counters.delete', { id: counterId }),
        ].map((answer) =>
          answer.then(
            () => 'ok',
            (error) => `${error.status} ${error.code} ${JSON.stringify(error.fields)}`,
          ),
        ),
      )
    const foreign = await answers(other, a.sites[0]!.id, a.counters[0]!.id)
    expect(foreign).toEqual(Array.from({ length: 5 }, () => '404 not_found []'))
    expect(foreign).toEqual(await answers(other, missing, missing))
    // Control: the owner of these ids is answered.
    await admin('sites.get', { id: a.sites[0]!.id })
    expect((await other('sites.list')).results.map(({ id }: { id: number }) => id)).toEqual([b.sites[0]!.id])
  })

  test('an actor of another tenant does not get in', async () => {
    expect(await code(run(b.admin, a.tenant)('sites.list'))).toBe('not_found')
  })
})

test('roles and scopes are denied by default', async () => {
  const agent = run(a.agentActors[0]!, a.tenant)
  expect((await agent('counters.list')).results.length).toBeGreaterThan(0)
  expect(await code(agent('counters.create', { site_id: a.sites[0]!.id, name: 'no' }))).toBe('forbidden')
  expect(await code(run(a.supervisor, a.tenant)('sites.update', { id: a.sites[0]!.id, name: 'no' }))).toBe('forbidden')
  expect(await code(run(a.anonymous, a.tenant)('sites.list'))).toBe('unauthorized')
  expect(
    await code(run({ ...a.admin, scopes: new Set(['read:site']) }, a.tenant)('sites.create', { name: 'no' })),
  ).toBe('forbidden')
  expect((await run(a.kiosk, a.tenant)('services.list')).results).toHaveLength(a.services.length)
})

test('what is in use cannot be deleted, what is not can', async () => {
  expect(await code(admin('sites.delete', { id: a.sites[0]!.id }))).toBe('in_use')
  expect(await code(admin('services.delete', { id: a.services[1]!.id }))).toBe('in_use')
  const counter = await admin('counters.create', { site_id: a.sites[0]!.id, name: 'Short-lived' })
  expect(await admin('counters.delete', { id: counter.id })).toBeNull()
  expect(await code(admin('counters.get', { id: counter.id }))).toBe('not_found')
  expect((await events(a.sites[0]!.id)).at(-1)).toMatchObject({ type: 'counter.deleted', data: { counter } })
})

test('names that must be unique are, within a tenant', async () => {
  const site_id = a.sites[0]!.id
  await admin('counters.create', { site_id, name: 'Twin' })
  expect(await code(admin('counters.create', { site_id, name: 'Twin' }))).toBe('name_taken')
  await admin('sites.create', { name: 'One', slug: 'one' })
  expect(await code(admin('sites.create', { name: 'Two', slug: 'one' }))).toBe('slug_taken')
  await other('sites.create', { name: 'Two', slug: 'one' })
})

test('a service gets the next free line with its colour and shape', async () => {
  const service = await admin('services.create', { name: 'Fourth' })
  expect(service).toMatchObject({ code: 'D', colour: '#6A2C91', shape: 'hexagon', names: {}, required_fields: [] })
  expect(await code(admin('services.create', { name: 'Again', code: 'D' }))).toBe('code_taken')
  const full = await admin('services.create', {
    name: 'Fifth',
    names: { ar: 'الخامس' },
    code: 'Z9',
    colour: '#112233',
    shape: 'ring',
    required_fields: ['phone'],
  })
  expect(full).toMatchObject({
    names: { ar: 'الخامس' },
    code: 'Z9',
    colour: '#112233',
    shape: 'ring',
    required_fields: ['phone'],
  })
})

describe('a list', () => {
  type Page = {
    results: { id: number; name: string; created_at: string }[]
    next: string | null
    previous: string | null
  }
  let mine: ReturnType<typeof run>
  let all: Page['results']

  beforeAll(async () => {
    const c = await aTenant(base.owner)
    mine = run(c.admin, c.tenant)
    // Many equal names and equal times: only the id tells the rows apart.
    await base.owner(
      `insert into sites (tenant_id, name, slug, timezone, created_at)
       select $1, 'Name ' || n % 5, 'paged-' || n, 'UTC', '2026-01-01T00:00:00.000001Z'::timestamptz + (n % 3) * interval '1 microsecond'
       from generate_series(1, 23) n`,
      [c.tenant.id],
    )
    all = (await mine('sites.list', { limit: 200 })).results
  })

  async function walk(input: Record<string, unknown>, direction: 'next' | 'previous', cursor?: string) {
    const pages: number[][] = []
    for (let page: Page | undefined; !page || cursor;) {
      page = (await mine('sites.list', { ...input, ...(cursor && { cursor }) })) as Page
      pages.push(page.results.map(({ id }) => id))
      cursor = page[direction] ?? undefined
      if (!cursor) return { pages, last: page }
    }
    throw new Error('unreachable')
  }

  test.each(['name', '-name', 'created_at', '-created_at'])(
    'by %s is the same in pages, both ways',
    async (ordering) => {
      const column = ordering.replace('-', '') as 'name' | 'created_at'
      const sign = ordering.startsWith('-') ? -1 : 1
      const expected = all
        .toSorted((x, y) => sign * (x[column] < y[column] ? -1 : x[column] > y[column] ? 1 : x.id - y.id))
        .map(({ id }) => id)
      const forward = await walk({ ordering, limit: 7 }, 'next')
      expect(all).toHaveLength(24)
      expect(forward.pages.map((page) => page.length)).toEqual([7, 7, 7, 3])
      expect(forward.pages.flat()).toEqual(expected)
      const backward = await walk({ ordering, limit: 7 }, 'previous', forward.last.previous!)
      expect(backward.pages.toReversed().flat()).toEqual(expected.slice(0, 21))
      expect(backward.last.previous).toBeNull()
    },
  )

  test('neither repeats nor skips when rows come and go between pages', async () => {
    const first = (await mine('sites.list', { ordering: 'name', limit: 5 })) as Page
    const created = await mine('sites.create', { name: 'Aaa first' })
    const second = (await mine('sites.list', { ordering: 'name', limit: 5, cursor: first.next })) as Page
    const byName = all.toSorted((x, y) => (x.name < y.name ? -1 : x.name > y.name ? 1 : x.id - y.id))
    expect(second.results.map(({ id }) => id)).toEqual(byName.slice(5, 10).map(({ id }) => id))
    await mine('sites.delete', { id: created.id })
  })

  test('finds its way back when everything after the cursor has gone', async () => {
    const names = ['zz1', 'zz2', 'zz3']
    const created = await Promise.all(names.map((name) => mine('sites.create', { name })))
    const page = (await mine('sites.list', { ordering: 'name', q: 'zz', limit: 2 })) as Page
    await mine('sites.delete', { id: created[2].id })
    const empty = (await mine('sites.list', { ordering: 'name', q: 'zz', limit: 2, cursor: page.next })) as Page
    expect(empty).toMatchObject({ results: [], next: null })
    const back = (await mine('sites.list', { ordering: 'name', q: 'zz', limit: 2, cursor: empty.previous })) as Page
    expect(back.results.map(({ name }) => name)).toEqual(['zz1', 'zz2'])
    for (const site of created.slice(0, 2)) await mine('sites.delete', { id: site.id })
  })

  test('keeps its place after the longest Arabic name', async () => {
    const name = 'ش'.repeat(200)
    const sites = [
      await mine('sites.create', { name, slug: 'long-1' }),
      await mine('sites.create', { name, slug: 'long-2' }),
    ]
    const page = (await mine('sites.list', { ordering: '-name', limit: 1 })) as Page
    const next = (await mine('sites.list', { ordering: '-name', limit: 1, cursor: page.next })) as Page
    expect([page.results[0]!.id, next.results[0]!.id]).toEqual(sites.map(({ id }) => id).toReversed())
    for (const site of sites) await mine('sites.delete', { id: site.id })
  })

  test('searches text as text and filters', async () => {
    await mine('sites.create', { name: '100 % sure_thing', slug: 'sure' })
    for (const q of ['%', '_', '100 % s']) expect((await mine('sites.list', { q })).results).toHaveLength(1)
    expect((await mine('sites.list', { q: '\\' })).results).toHaveLength(0)
    expect((await mine('sites.list', { is_active: false })).results).toHaveLength(0)
  })

  const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  test.each([
    ['nonsense', '!!!'],
    ['no JSON', 'YWJj'],
    ['another ordering', cursor('created_at', 'after', '2026-01-01T00:00:00Z', 1)],
    ['a wrong type', cursor('name', 'after', 5, 1)],
    ['a wrong number', cursor('name', 'after', 'x', 1.5)],
    ['a NUL', cursor('name', 'after', 'a\0', 1)],
    ['half a surrogate', cursor('name', 'after', '\ud800', 1)],
    ['no position', cursor('name', 'x', 'a', 1)],
    ['too few values', cursor('name', 'after', 'a')],
  ])('refuses a cursor with %s', async (_, text) => {
    await expect(mine('sites.list', { ordering: 'name', cursor: text })).rejects.toMatchObject({
      code: 'invalid_input',
      status: 400,
    })
  })
  test('refuses a cursor with a day that does not exist', async () => {
    const text = cursor('created_at', 'after', '2026-02-30T00:00:00Z', 1)
    expect(await code(mine('sites.list', { ordering: 'created_at', cursor: text }))).toBe('invalid_input')
    expect(await code(mine('sites.list', { ordering: 'slug' }))).toBe('invalid_input')
    expect(await code(mine('sites.list', { limit: 201 }))).toBe('invalid_input')
  })
})
