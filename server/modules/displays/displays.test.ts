import { beforeAll, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { useMediaKeys } from '../media/index.ts'
import { operations as all } from '../index.ts'

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
  useMediaKeys('a key of the test’s own')
  run = caller(testRuntime(base.db), all)
  a = await aTenant(base.owner, { sites: 2, queues: 2 })
  b = await aTenant(base.owner)
})

test('a playlist has an order, hours and days; a display shows what of it was uploaded, as its site’s screen', async () => {
  const manager = run(a.supervisor, a.tenant)
  const variants = (widths: readonly number[]) =>
    JSON.stringify(
      widths.map((width) => ({
        name: `w${width}`,
        type: 'image/webp',
        width,
        height: width / 2,
        size_bytes: 9,
        key: 'k',
      })),
    )
  const media = async (status: string, tenantId = a.tenant.id) =>
    (
      await base.owner<{ id: number }>(
        `insert into media (tenant_id, kind, name, alt, status, variants) values ($1, 'image', 'x', '{"fr": "Une porte"}', $2, $3) returning id`,
        [tenantId, status, variants(status === 'ready' ? [320, 960, 1920, 3840] : [])],
      )
    )[0]!.id
  const [ready, awaited, theirs] = [await media('ready'), await media('awaited'), await media('ready', b.tenant.id)]
  const list = [
    { media_id: ready, seconds: 10, weekdays: [1, 2, 3, 4, 5], from: '08:00', until: '12:00' },
    { media_id: awaited, seconds: 5 },
    { media_id: ready, seconds: 20 },
  ]
  const playlist = await manager('playlists.create', { name: 'Hall', items: { list } })
  expect(playlist.items.list).toEqual(list)
  for (const item of [
    { media_id: theirs, seconds: 10 },
    { media_id: ready, seconds: 1 },
    { media_id: ready, seconds: 10, from: '08:00' },
    { media_id: ready, seconds: 10, weekdays: [8] },
  ])
    expect(await code(manager('playlists.update', { id: playlist.id, items: { list: [item] } }))).toBe('invalid_input')
  const display = await manager('displays.create', { site_id: a.sites[0]!.id, name: 'Mur', playlist_id: playlist.id })
  const screen = await run(a.display, a.tenant)('displays.screen', { id: display.id })
  expect(screen.media).toMatchObject([
    { media_id: ready, width: 1920, alt: { fr: 'Une porte' }, ...list[0] },
    { media_id: ready, seconds: 20 },
  ])
  expect(screen.media[0].url).toMatch(/^https:\/\/smartqueue\.example\/media\/.*signature=/)
  await manager('playlists.update', { id: playlist.id, is_active: false })
  expect((await manager('displays.screen', { id: display.id })).media).toEqual([])
  expect(await code(manager('displays.update', { id: display.id, playlist_id: 987_654 }))).toBe('not_found')
  expect(await code(run(b.admin, b.tenant)('playlists.get', { id: playlist.id }))).toBe('not_found')
  expect(await code(run(a.agentActors[0]!, a.tenant)('playlists.delete', { id: playlist.id }))).toBe('forbidden')
  await manager('playlists.delete', { id: playlist.id })
  expect(await manager('displays.get', { id: display.id })).toMatchObject({ playlist_id: null })
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
  const shown = async () => run(a.display, a.tenant)('displays.screen', { id: display.id })
  await supervisor('displays.update', { id: display.id, queue_ids: queue_ids.slice(0, 1), name: 'Hall est' })
  const { queues, display: face, site: place } = await shown()
  expect([queues.map(({ id }: { id: number }) => id), face.name, place.slug]).toEqual([
    queue_ids.slice(0, 1),
    'Hall est',
    'site-1',
  ])
  await supervisor('displays.update', { id: display.id, is_active: false })
  expect(await code(shown())).toBe('not_found')
  await supervisor('displays.update', { id: display.id, is_active: true, name: 'Hall' })
  expect(await supervisor('displays.update', { id: display.id, queue_ids: [] })).toMatchObject({ queue_ids: [] })
  expect((await shown()).queues).toHaveLength(queue_ids.length)
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

test('name, colour and picture of the house are on its screens; a picture that is not there, or is another’s, is none', async () => {
  const admin = run(a.admin, a.tenant)
  const picture = async (tenantId: number, status = 'ready', kind = 'image') => {
    const variants = [320, 640, 1280].map((width) => ({
      name: `w${width}`,
      type: 'image/webp',
      width,
      height: width / 4,
      size_bytes: 9,
      key: 'k',
    }))
    const [row] = await base.owner<{ id: number }>(
      `insert into media (tenant_id, kind, name, status, variants) values ($1, $2, 'Logo', $3, $4) returning id`,
      [tenantId, kind, status, JSON.stringify(variants)],
    )
    return row!.id
  }
  const display = await admin('displays.create', { site_id: a.sites[0]!.id, name: 'Mur' })
  const shown = async () => [
    (await run(a.display, a.tenant)('displays.screen', { id: display.id })).tenant.brand,
    (await run(a.kiosk, a.tenant)('tickets.sitePage', { slug: 'site-1' })).brand,
  ]
  expect(await shown()).toEqual(Array(2).fill({ colour: null, logo: null }))
  const id = await picture(a.tenant.id)
  expect(await admin('tenants.update', { logo_media_id: id, brand_colour: '#6A2C91' })).toMatchObject({
    logo_media_id: id,
  })
  for (const brand of await shown()) {
    expect(brand).toMatchObject({ colour: '#6A2C91', logo: { width: 640, height: 160 } })
    expect(brand.logo.url).toMatch(/\/media\/.*w640.*signature=/)
  }
  for (const wrong of [
    await picture(b.tenant.id),
    await picture(a.tenant.id, 'awaited'),
    await picture(a.tenant.id, 'ready', 'video'),
    987_654,
  ])
    expect(await code(admin('tenants.update', { logo_media_id: wrong }))).toBe('invalid_input')
  // Deleted, it is on no screen any more.
  await admin('media.delete', { id })
  expect(await shown()).toEqual(Array(2).fill({ colour: '#6A2C91', logo: null }))
  expect(await admin('tenants.get')).toMatchObject({ logo_media_id: null })
})
