export interface Point {
  latitude: number
  longitude: number
}
const EARTH_METRES = 6_371_009
const radians = (degrees: number) => (degrees * Math.PI) / 180
/** 0 to below 360. */
export const turned = (degrees: number): number => ((degrees % 360) + 360) % 360

/** Metres along the ground, and where to look: degrees clockwise from north. Flat, which holds for some hundred kilometres. */
export function towards(from: Point, to: Point): { metres: number; bearing: number } {
  const north = radians(to.latitude - from.latitude)
  const east = radians(to.longitude - from.longitude) * Math.cos(radians((from.latitude + to.latitude) / 2))
  return {
    metres: Math.hypot(north, east) * EARTH_METRES,
    bearing: turned((Math.atan2(east, north) * 180) / Math.PI),
  }
}

/** What a phone tells of how it is held; `webkitCompassHeading` is an iPhone's. */
export interface Held {
  alpha: number | null
  beta: number | null
  gamma: number | null
  webkitCompassHeading?: number
}

/**
 * Where the upper edge of a phone points that lies flat, and where its camera looks when it stands up (W3C Device
 * Orientation, worked example): degrees clockwise from north, undefined when it does not know.
 */
export function headingOf({ alpha, beta, gamma, webkitCompassHeading }: Held): number | undefined {
  if (webkitCompassHeading !== undefined) return webkitCompassHeading
  if (alpha === null) return undefined
  if (Math.abs(beta ?? 0) < 45) return turned(-alpha)
  const [a, b, c] = [radians(alpha), radians(beta ?? 0), radians(gamma ?? 0)]
  const east = -Math.cos(a) * Math.sin(c) - Math.sin(a) * Math.sin(b) * Math.cos(c)
  const north = -Math.sin(a) * Math.sin(c) + Math.cos(a) * Math.sin(b) * Math.cos(c)
  return turned((Math.atan2(east, north) * 180) / Math.PI)
}
