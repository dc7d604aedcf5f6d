import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { Location, parseLocation } from '../../kernel/geo.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Text, Time } from '../../kernel/schema.ts'
import { siteNow, SiteNow } from '../tickets/index.ts'
import { bearing } from './geo.ts'
import { liveOf } from './live.ts'
import { DEFAULT_RADIUS, markersNear, Radius, type Marker } from './markers.ts'
import { fromThere, KINDS, Live, MarkerData } from './schema.ts'

const everybody = { kind: 'query', scope: null, roles: ROLES } as const
const There = { distance_metres: Type.Number({ minimum: 0 }), bearing_degrees: fromThere.bearing_degrees }

const nearby = operation({
  ...everybody,
  id: 'ar.nearby',
  summary: 'Sites near a place, with their lines',
  description:
    'Within `radius` metres (10 km when absent), the nearest first. The place is compared and forgotten. Each with its doors’ hours and what somebody who came now would wait.',
  http: { method: 'GET', path: '/nearby/', base: 'public' },
  input: Closed({
    location: Location,
    radius: Radius(200_000, 10_000),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, default: 10 })),
  }),
  output: Closed({
    results: Type.Array(Closed({ ...SiteNow.properties, ...There, latitude: Type.Number(), longitude: Type.Number() })),
    now: Time,
  }),
  example: { input: { location: '2.3522,48.8566' } },
  async run(ctx, { location, radius = 10_000, limit = 10 }) {
    const from = parseLocation(location)
    const near = await ctx.tx.query<{ slug: string; latitude: number; longitude: number; distance_metres: number }>(
      `select s.slug, s.latitude, s.longitude, n.distance_metres from app.sites_near($1, $2, $3, $4) n join sites s on s.id = n.id
       order by n.distance_metres, s.id`,
      [from.latitude, from.longitude, radius, limit],
    )
    const results = []
    for (const { slug, distance_metres, ...place } of near) {
      const found = await siteNow(ctx, slug)
      if (!found) continue
      const { now: _, ...site } = found
      results.push({
        ...site,
        ...place,
        distance_metres: Math.round(distance_metres * 10) / 10,
        bearing_degrees: bearing(from, place),
      })
    }
    const { now } = await ctx.tx.one<{ now: string }>('select now() as now')
    return { results, now }
  },
})

const Place = {
  id: Id,
  kind: Enum(KINDS),
  name: Type.String(),
  site_id: Id,
  queue_id: Nullable(Id),
  latitude: Type.Number(),
  longitude: Type.Number(),
  altitude_metres: Nullable(Type.Number()),
  floor: Nullable(Type.Integer()),
  heading_degrees: Nullable(Type.Number()),
  marker_data: MarkerData,
  live: Nullable(Live),
}
const shown = <T extends Marker>(marker: T) => {
  const { id, kind, name, site_id, queue_id, latitude, longitude, altitude_metres, floor, heading_degrees } = marker
  const place = { latitude, longitude, altitude_metres, floor, heading_degrees }
  return { id, kind, name, site_id, queue_id, ...place, marker_data: marker.marker_data }
}

const around = operation({
  ...everybody,
  id: 'ar.around',
  summary: 'Markers around a visitor',
  description:
    'For a list, an arrow or a camera: active markers within `radius` metres (100 when absent), the nearest first.',
  http: { method: 'GET', path: '/ar-markers/', base: 'public' },
  input: Closed({ location: Location, radius: Radius(5000, DEFAULT_RADIUS) }),
  output: Closed({ results: Type.Array(Closed({ ...Place, ...There })) }),
  example: { input: { location: '2.3522,48.8566', radius: 100 } },
  async run(ctx, { location, radius = DEFAULT_RADIUS }) {
    const near = await markersNear(ctx, parseLocation(location), radius, 50)
    return {
      results: near.map((marker) => ({
        ...shown(marker),
        live: marker.live,
        distance_metres: marker.distance_metres ?? 0,
        bearing_degrees: marker.bearing_degrees,
      })),
    }
  },
})

const Target = Closed({
  ...Place,
  ...There,
  turn_degrees: Type.Integer({
    minimum: -180,
    maximum: 180,
    description: 'From where somebody looks who reads the sign: to the right above 0, to the left below',
  }),
  floors: Type.Integer({ description: 'To climb; down below 0' }),
})
const ANCHOR = `
  select id, kind, name, site_id, queue_id, latitude, longitude, altitude_metres, floor, heading_degrees, marker_data
  from ar_markers where code = $1 and kind = 'anchor' and is_active`
const TARGETS = `
  select m.id, m.kind, m.name, m.site_id, m.queue_id, m.latitude, m.longitude, m.altitude_metres, m.floor, m.heading_degrees,
    m.marker_data, app.metres_between(app.on_earth(m.latitude, m.longitude), app.on_earth($2, $3)) as distance_metres
  from ar_markers m where m.site_id = $1 and m.is_active and m.kind not in ('anchor', 'branch')
  order by distance_metres, m.id limit 100`
type Anchor = Omit<Static<ReturnType<typeof Closed<typeof Place>>>, 'live'>

const anchor = operation({
  ...everybody,
  id: 'ar.anchor',
  summary: 'Where a sign with a printed code stands, and the way on from there',
  description:
    'Indoors a position by satellite is wrong by a street; the sign knows where it is. `turn_degrees` draws the arrow for somebody who stands before it and reads it.',
  http: { method: 'GET', path: '/ar-anchors/{code}/', base: 'public' },
  input: Closed({ code: Text(32, { minLength: 4 }) }),
  output: Closed({ anchor: Closed(Place), targets: Type.Array(Target) }),
  example: { input: { code: 'k7M4x2Pq' } },
  async run(ctx, { code }) {
    const sign = await ctx.tx.maybe<Anchor>(ANCHOR, [code])
    if (!sign) throw notFound()
    const rows = await ctx.tx.query<Anchor & { distance_metres: number }>(TARGETS, [
      sign.site_id,
      sign.latitude,
      sign.longitude,
    ])
    const lives = await liveOf(
      ctx,
      [sign, ...rows].map(({ queue_id }) => queue_id),
    )
    const live = ({ queue_id }: Anchor) => (queue_id === null ? null : (lives.get(queue_id) ?? null))
    return {
      anchor: { ...sign, live: live(sign) },
      targets: rows.map((row) => {
        const towards = bearing(sign, row)
        const turn = (((towards - Math.round(sign.heading_degrees ?? 0)) % 360) + 540) % 360
        return {
          ...row,
          live: live(row),
          distance_metres: Math.round(row.distance_metres * 10) / 10,
          bearing_degrees: towards,
          turn_degrees: turn - 180,
          floors: (row.floor ?? 0) - (sign.floor ?? 0),
        }
      }),
    }
  },
})

export const publicOperations: readonly Operation[] = [nearby, around, anchor]
