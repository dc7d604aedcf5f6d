import Type from 'typebox'
import { invalid } from '../../kernel/errors.ts'

/** A place as maps and GeoJSON write it: longitude, then latitude. */
export const Location = Type.String({
  pattern: '^-?\\d{1,3}(\\.\\d{1,15})?,-?\\d{1,2}(\\.\\d{1,15})?$',
  maxLength: 40,
  description: '`longitude,latitude` in degrees, such as `2.3522,48.8566`',
})
export interface Point {
  latitude: number
  longitude: number
}

/** @throws AppError invalid_input `range` at `/location` for what is on no map */
export function parseLocation(location: string): Point {
  const [longitude, latitude] = location.split(',').map(Number) as [number, number]
  if (Math.abs(longitude) > 180 || Math.abs(latitude) > 90) throw invalid('/location', 'range')
  return { latitude, longitude }
}

const radians = (degrees: number) => (degrees * Math.PI) / 180

/** Where to look from `from` to see `to`: whole degrees clockwise from north, 0 to 359. */
export function bearing(from: Point, to: Point): number {
  const [a, b, east] = [radians(from.latitude), radians(to.latitude), radians(to.longitude - from.longitude)]
  const angle = Math.atan2(
    Math.sin(east) * Math.cos(b),
    Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(east),
  )
  return ((Math.round((angle * 180) / Math.PI) % 360) + 360) % 360
}
