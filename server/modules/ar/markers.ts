import Type, { type Static } from 'typebox'
import { MANAGERS, STAFF, type Role } from '../../kernel/access.ts'
import { extend } from '../../kernel/derived.ts'
import { conflict, invalid, notFound } from '../../kernel/errors.ts'
import { Location, parseLocation, type Point } from '../../kernel/geo.ts'
import { randomBase62 } from '../../kernel/ids.ts'
import type { Context, Operation } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Closed, Enum, Id, Nullable, Page } from '../../kernel/schema.ts'
import { bearing } from './geo.ts'
import { liveOf } from './live.ts'
import { fromThere, KINDS, Live, markerFields } from './schema.ts'

const READERS: readonly Role[] = [...STAFF, 'kiosk', 'display']
export const DEFAULT_RADIUS = 100
const CODE_LENGTH = 8

const markers = resource({
  noun: 'ar-markers',
  singular: 'ar_marker',
  table: 'ar_markers',
  fields: markerFields,
  fixed: ['site_id'],
  scopes: { read: 'read:site', write: 'write:display' },
  roles: { read: READERS, write: MANAGERS },
  filters: {
    site: { schema: Id, where: 'site_id = $1' },
    kind: { schema: Enum(KINDS), where: 'kind = $1' },
    is_active: { schema: Type.Boolean(), where: 'is_active = $1' },
  },
  search: ['name'],
  orderings: ['name', 'created_at'],
  example: {
    site_id: 1,
    name: 'Entrée de la mairie',
    kind: 'entrance',
    latitude: 48.8566,
    longitude: 2.3522,
    marker_data: { label: { fr: 'Mairie', en: 'Town hall' }, icon: 'door' },
  },
  constraints: { ar_markers_tenant_id_code_key: () => conflict('code_taken') },
  siteOf: (marker) => marker.site_id,
  async prepare(ctx, marker) {
    if (marker.kind === 'anchor' && marker.heading_degrees === null) throw invalid('/heading_degrees', 'required')
    const { queue_id, site_id, marker_data } = marker
    if (queue_id !== null) {
      const queue = await ctx.tx.maybe('select from queues where id = $1 and site_id = $2', [queue_id, site_id])
      if (!queue) throw notFound()
    }
    if (marker_data.media_id !== undefined) {
      const media = await ctx.tx.maybe('select from media where id = $1', [marker_data.media_id])
      if (!media) throw invalid('/marker_data/media_id', 'not_found')
    }
    return { ...marker, code: marker.code ?? randomBase62(CODE_LENGTH) }
  },
})
export type Marker = Static<typeof markers.entity>
type Seen = Marker & { live: Live | null; distance_metres: number | null; bearing_degrees: number | null }

const [list, ...others] = extend(markers, {
  table: 'ar_markers',
  properties: { live: Nullable(Live), ...fromThere },
  async derive(ctx, rows) {
    const lives = await liveOf(
      ctx,
      rows.map((row) => row['queue_id'] as number | null),
    )
    return rows.map((row) => ({
      live: lives.get(row['queue_id'] as number) ?? null,
      distance_metres: null,
      bearing_degrees: null,
    }))
  },
  event: (_ctx, event) => event,
}) as [Operation, ...Operation[]]
const [get] = others as [Operation]

/** Active markers within `radius` metres of a place, the nearest first. */
export async function markersNear(ctx: Context, from: Point, radius: number, most: number): Promise<Seen[]> {
  const near = await ctx.tx.query<{ id: number; distance_metres: number }>(
    'select id, distance_metres from app.markers_near($1, $2, $3, $4)',
    [from.latitude, from.longitude, radius, most],
  )
  const rows = (await get.readMany!(
    ctx,
    near.map(({ id }) => id),
  )) as Seen[]
  const byId = new Map(rows.map((row) => [row.id, row]))
  return near.flatMap(({ id, distance_metres }) => {
    const row = byId.get(id)
    if (!row) return []
    return [{ ...row, distance_metres: Math.round(distance_metres * 10) / 10, bearing_degrees: bearing(from, row) }]
  })
}

export const Radius = (maximum: number, standard: number) =>
  Type.Optional(Type.Number({ minimum: 1, maximum, default: standard, description: 'Metres' }))

const listed: Operation = {
  ...list,
  summary: 'List ar-markers, or those near a place',
  description:
    'With `location` the active ones within `radius` metres (100 when absent), the nearest first, at most `limit`: one page, with distance and bearing. `live` tells the line of the marker’s queue as somebody who came now would find it.',
  input: Closed({
    ...list.input.properties,
    location: Type.Optional(Location),
    radius: Radius(50_000, DEFAULT_RADIUS),
  }),
  output: Page(get.output),
  example: { input: { location: '2.3522,48.8566', radius: 100 } },
  async run(ctx, { location, radius = DEFAULT_RADIUS, ...input }: Record<string, unknown> & Near) {
    if (location === undefined) return list.run(ctx, input)
    const { limit = 50, site, kind, q } = input as { limit?: number; site?: number; kind?: string; q?: string }
    const near = await markersNear(ctx, parseLocation(location), radius, 200)
    const results = near.filter(
      (marker) =>
        (site === undefined || marker.site_id === site) &&
        (kind === undefined || marker.kind === kind) &&
        (q === undefined || marker.name.toLowerCase().includes(q.toLowerCase())),
    )
    return { results: results.slice(0, limit), next: null, previous: null }
  },
}
interface Near {
  location?: string
  radius?: number
}

export const markerOperations: readonly Operation[] = [listed, ...others]
