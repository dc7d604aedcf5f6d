import Type, { type Static } from 'typebox'
import { conflict } from '../../kernel/errors.ts'
import type { Context } from '../../kernel/operation.ts'
import { Closed } from '../../kernel/schema.ts'
import { policyOf } from './change.ts'
import type { Appointment } from './schema.ts'

/** Where somebody says to be. It is compared and forgotten. */
export const Position = Closed({
  latitude: Type.Number({ minimum: -90, maximum: 90 }),
  longitude: Type.Number({ minimum: -180, maximum: 180 }),
  /** How far off it may be, as the device says. */
  accuracy_metres: Type.Optional(Type.Number({ minimum: 0 })),
})
type Position = Static<typeof Position>

/** Indoors a phone is easily so far off; more is no proof of having come. */
const MOST_DOUBT_METRES = 150
const EARTH_METRES = 6_371_008

/** Great-circle distance in metres. */
function distance(a: Position, b: Position): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  const [north, east] = [radians(b.latitude - a.latitude) / 2, radians(b.longitude - a.longitude) / 2]
  const across = Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude))
  return 2 * EARTH_METRES * Math.asin(Math.min(1, Math.hypot(Math.sin(north), Math.sqrt(across) * Math.sin(east))))
}

/**
 * Where the queue asks for it, and the site has a place on the map, whoever checks in from afar has to be there.
 * @throws AppError conflict `position_required`, or `too_far` with the metres
 */
export async function checkPosition(ctx: Context, row: Appointment, position: Position | undefined): Promise<void> {
  const { arrival_metres } = await policyOf(ctx.tx, row.queue_id)
  if (arrival_metres === null) return
  const { latitude, longitude } = await ctx.tx.one<{ latitude: number | null; longitude: number | null }>(
    'select latitude, longitude from sites where id = $1',
    [row.site_id],
  )
  if (latitude === null || longitude === null) return
  if (!position) throw conflict('position_required')
  const metres = distance(position, { latitude, longitude })
  if (metres - Math.min(position.accuracy_metres ?? 0, MOST_DOUBT_METRES) > arrival_metres)
    throw conflict('too_far', { metres: Math.round(metres) })
}
