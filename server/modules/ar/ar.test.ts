import { beforeAll, describe, expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from '../index.ts'
import { bearing } from './geo.ts'

let base: TestDatabase
let bank: TenantFixture
let other: TenantFixture
let as: ReturnType<typeof caller>
const HALL = { longitude: 2.3522, latitude: 48.8566 }
const at = ({ longitude, latitude }: typeof HALL) => `${longitude},${latitude}`
/** So many metres to the north and the east of the hall. */
const metres = (north: number, east: number) => ({
  latitude: HALL.latitude + north / 111_195,
  longitude: HALL.longitude + east / (111_195 * Math.cos((HALL.latitude * Math.PI) / 180)),
})
const run = (actor: Actor = bank.admin) => as(actor, bank.tenant)
const near = async (location: string, radius?: number, actor?: Actor) =>
  (await run(actor)('ar-markers.list', { location, ...(radius && { radius }) })).results

beforeAll(async () => {
  base = await testDatabase()
  as = caller(testRuntime(base.db), operations)
  bank = await aTenant(base.owner, { sites: 2 })
  other = await aTenant(base.owner)
})

describe('markers', () => {
  test('are made, read, changed and deleted, with the line of their queue as it stands', async () => {
    const [queue] = bank.queues
    const [site] = bank.sites
    const marker = await run()('ar-markers.create', {
      ...HALL,
      site_id: site!.id,
      queue_id: queue!.id,
      name: 'Guichets',
      kind: 'queue',
      marker_data: { label: { fr: 'Guichets', ar: 'الشبابيك' }, icon: 'queue', colour: '#0A4DA3', height_metres: 3 },
    })
    expect(marker).toMatchObject({ kind: 'queue', floor: null, is_active: true, distance_metres: null })
    expect(marker.code).toMatch(/^[0-9A-Za-z]{8}$/)
    expect(marker.live).toMatchObject({ waiting: 0 })
    await run()('tickets.take', { queue_id: queue!.id, channel: 'reception' })
    expect((await run()('ar-markers.get', { id: marker.id })).live.waiting).toBe(1)
    const moved = await run()('ar-markers.update', { id: marker.id, floor: 2, marker_data: {} })
    expect(moved).toMatchObject({ floor: 2, marker_data: {}, name: 'Guichets' })
    expect(await run()('ar-markers.delete', { id: marker.id })).toBeNull()
    await expect(run()('ar-markers.get', { id: marker.id })).rejects.toMatchObject({ code: 'not_found' })
    const events = await base.owner<{ type: string }>(
      `select type from events where tenant_id = $1 and type like 'ar_marker.%' order by "offset"`,
      [bank.tenant.id],
    )
    expect(events.map(({ type }) => type)).toEqual(['ar_marker.created', 'ar_marker.updated', 'ar_marker.deleted'])
  })

  test('what no lens could show is refused', async () => {
    const create = (more: object) =>
      run()('ar-markers.create', { ...HALL, site_id: bank.sites[0]!.id, name: 'x', ...more }).then(
        () => 'made',
        (error) => error.fields?.[0]?.path ?? error.code,
      )
    expect(await create({ latitude: 91 })).toBe('/latitude')
    expect(await create({ longitude: -181 })).toBe('/longitude')
    expect(await create({ marker_data: { script: '<b>' } })).toBe('/marker_data/script')
    expect(await create({ marker_data: { colour: 'red' } })).toBe('/marker_data/colour')
    expect(await create({ marker_data: { media_id: 99 } })).toBe('/marker_data/media_id')
    expect(await create({ kind: 'anchor' })).toBe('/heading_degrees')
    expect(await create({ heading_degrees: 360 })).toBe('/heading_degrees')
    // A line of another site, a site of another tenant.
    const elsewhere = bank.queues.find(({ site_id }) => site_id === bank.sites[1]!.id)!
    expect(await create({ queue_id: elsewhere.id })).toBe('not_found')
    expect(await create({ site_id: other.sites[0]!.id })).toBe('not_found')
    expect(await create({ code: 'hall' })).toBe('made')
    expect(await create({ code: 'hall' })).toBe('code_taken')
    for (const location of ['2.35', '181,0', '0,91', '48.8566;2.3522', ''])
      await expect(near(location)).rejects.toMatchObject({ fields: [{ path: '/location' }] })
  })

  test('are found within the radius, the nearest first, with distance and direction', async () => {
    const create = async (name: string, north: number, east: number, more: object = {}) =>
      run()('ar-markers.create', { site_id: bank.sites[1]!.id, name, ...metres(north, east), ...more })
    await create('north', 50, 0)
    await create('east', 0, 99)
    await create('far', 150, 0)
    await create('south', -20, 0)
    await create('hidden', 1, 1, { is_active: false })
    const found = await near(at(HALL))
    expect(found.map(({ name }: { name: string }) => name)).toEqual(['x', 'south', 'north', 'east'])
    const [, south, north, east] = found
    expect([south.bearing_degrees, north.bearing_degrees, east.bearing_degrees]).toEqual([180, 0, 90])
    for (const [marker, distance] of [
      [south, 20],
      [north, 50],
      [east, 99],
    ])
      expect(Math.abs(marker.distance_metres - distance)).toBeLessThan(0.5)
    expect((await near(at(HALL), 200)).map(({ name }: { name: string }) => name)).toContain('far')
    expect(await near('2.3522,48.9')).toEqual([])
  })

  test('poles and the line of dates are no edges', async () => {
    const create = (name: string, longitude: number, latitude: number) =>
      run()('ar-markers.create', { site_id: bank.sites[0]!.id, name, longitude, latitude })
    await create('west of the line', 179.9999, 10)
    await create('at the pole', 90, 89.9999)
    const names = async (location: string) => (await near(location)).map(({ name }: { name: string }) => name)
    expect(await names('-179.9999,10')).toEqual(['west of the line'])
    expect(await names('-90,89.9999')).toEqual(['at the pole'])
  })

  test('nobody finds those of another tenant, and only managers change them', async () => {
    const mine = await near(at(HALL))
    const theirs = await as(other.admin, other.tenant)('ar-markers.list', { location: at(HALL) })
    expect([mine.length > 0, theirs.results]).toEqual([true, []])
    const [{ id }] = mine
    await expect(as(other.admin, other.tenant)('ar-markers.get', { id })).rejects.toMatchObject({ code: 'not_found' })
    for (const actor of [bank.kiosk, bank.agentActors[0]!])
      await expect(run(actor)('ar-markers.delete', { id })).rejects.toMatchObject({ code: 'forbidden' })
    expect((await near(at(HALL), 100, bank.kiosk)).length).toBe(mine.length)
    const elsewhere: Actor = { ...bank.supervisor, siteIds: [bank.sites[1]!.id] }
    await expect(run(elsewhere)('ar-markers.get', { id })).rejects.toMatchObject({ code: 'not_found' })
    expect((await near(at(HALL), 100, elsewhere)).map(({ name }: { name: string }) => name)).not.toContain('x')
  })
})

describe('everybody', () => {
  const visitor = () => run({ ...bank.anonymous, tenantId: bank.tenant.id })

  test('finds sites near a place, with doors and lines', async () => {
    const [near1, near2] = bank.sites
    await run()('sites.update', { id: near1!.id, ...metres(400, 0) })
    await run()('sites.update', { id: near2!.id, ...metres(0, -3000), opening_hours: { weekly: {} } })
    const { results } = await visitor()('ar.nearby', { location: at(HALL) })
    expect(results.map(({ site }: { site: { id: number } }) => site.id)).toEqual([near1!.id, near2!.id])
    expect(results[0]).toMatchObject({ is_open: true, bearing_degrees: 0 })
    expect(results[0].lines[0]).toMatchObject({ waiting: 1, takes_appointments: false })
    expect(results[1]).toMatchObject({ is_open: false, bearing_degrees: 270, closes_at: null })
    expect(results[1].lines[0].status).toBe('closed')
    expect(Math.abs(results[0].distance_metres - 400)).toBeLessThan(1)
    expect((await visitor()('ar.nearby', { location: at(HALL), radius: 1000 })).results).toHaveLength(1)
    expect((await as(other.anonymous, other.tenant)('ar.nearby', { location: at(HALL) })).results).toEqual([])
  })

  test('sees the markers around, without what only staff need', async () => {
    const { results } = await visitor()('ar.around', { location: at(HALL) })
    expect(results.map(({ name }: { name: string }) => name)).toEqual(['x', 'south', 'north', 'east'])
    expect(results[0]).not.toHaveProperty('code')
  })

  test('stands before a sign and is told which way to turn', async () => {
    const site_id = bank.sites[0]!.id
    await run()('ar-markers.create', {
      ...HALL,
      site_id,
      name: 'Panneau',
      kind: 'anchor',
      code: 'signA001',
      floor: 0,
      // Who reads it looks east.
      heading_degrees: 90,
    })
    for (const [name, north, east, floor] of [
      ['ahead', 0, 12, 0],
      ['left', 9, 0, 0],
      ['right', -6, 0, 1],
      ['behind', 0, -15, 0],
    ] as const)
      await run()('ar-markers.create', { ...metres(north, east), site_id, name, kind: 'counter', floor })
    const { anchor, targets } = await visitor()('ar.anchor', { code: 'signA001' })
    expect(anchor).toMatchObject({ name: 'Panneau', heading_degrees: 90, floor: 0 })
    const turns = Object.fromEntries(
      targets.map((target: { name: string; turn_degrees: number; floors: number }) => [
        target.name,
        [target.turn_degrees, target.floors],
      ]),
    )
    expect(turns).toMatchObject({ ahead: [0, 0], left: [-90, 0], right: [90, 1], behind: [-180, 0] })
    await expect(visitor()('ar.anchor', { code: 'signA002' })).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('directions are those of a compass', () => {
  expect(bearing(HALL, metres(100, 100))).toBe(45)
  expect(bearing(HALL, metres(-100, 100))).toBe(135)
  expect(bearing(HALL, metres(0.01, -100))).toBe(270)
  // From Paris to Tokyo one sets out to the north-east, over Siberia.
  expect(bearing(HALL, { latitude: 35.68, longitude: 139.69 })).toBe(33)
})

test('the place is looked up in the geographic index, under the policy, among many', async () => {
  await base.owner(
    `insert into ar_markers (tenant_id, site_id, name, kind, latitude, longitude, code)
     select $1, $2, 'm' || n, 'other', 40 + (n % 200) * 0.05, -5 + (n / 200) * 0.05, 'code' || n from generate_series(1, 20000) n`,
    [bank.tenant.id, bank.sites[0]!.id],
  )
  await base.owner('analyze ar_markers')
  // What the function does, as its owner does it.
  await base.owner('begin; set local role sq_owner')
  await base.owner(`select set_config('app.current_tenant_id', $1, true)`, [String(bank.tenant.id)])
  const rows = await base.owner<{ 'QUERY PLAN': string }>(
    `explain (analyze, costs off, timing off, summary off, buffers off)
     select m.id from ar_markers m
     where m.tenant_id = (select app.tenant_id()) and m.is_active
       and app.on_earth(m.latitude, m.longitude) <@ cube_enlarge(app.on_earth(48.8566, 2.3522), 5000, 3)
       and app.metres_between(app.on_earth(m.latitude, m.longitude), app.on_earth(48.8566, 2.3522)) <= 5000`,
  )
  await base.owner('rollback')
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  process.stdout.write(`${plan}\n`)
  expect(plan).toMatch(/Index Scan using ar_markers_by_place|Bitmap Index Scan on ar_markers_by_place/)
  expect(plan).not.toContain('Seq Scan')
})
