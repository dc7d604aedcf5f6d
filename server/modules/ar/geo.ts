import type { Point } from '../../kernel/geo.ts'

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
