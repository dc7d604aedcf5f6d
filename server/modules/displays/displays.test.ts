import { beforeAll, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { useMediaKeys } from '../media/index.ts'
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
  useMediaKeys('a key of the test’s own')
  run = caller(testRuntime(base.db), operations)
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
