import Type from 'typebox'
import { invalid } from './errors.ts'

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

const EARTH_METRES = 6_371_008.8
const radians = (degrees: number) => (degrees * Math.PI) / 180

/** Along the ground (haversine), right to half a percent. */
export function metresBetween(a: Point, b: Point): number {
  const [north, east] = [radians(b.latitude - a.latitude) / 2, radians(b.longitude - a.longitude) / 2]
  const chord =
    Math.sin(north) ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(east) ** 2
  return 2 * EARTH_METRES * Math.asin(Math.sqrt(chord))
}
