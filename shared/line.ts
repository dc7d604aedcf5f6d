/** A service is a line: letter, colour and shape, the same on phone, paper, wall and desk. */
export const LINES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
export type Line = (typeof LINES)[number]

/** The line of a service's code or of a ticket's number: by its first letter, beginning anew after H. */
export function lineOf(code: string): Line {
  const place = (code.toLowerCase().charCodeAt(0) || 97) - 97
  return LINES[((place % LINES.length) + LINES.length) % LINES.length]!
}

/** Outline in a square of 32, and where the letter stands. */
interface Shape {
  path: string
  /** Baseline and size of the letter. */
  y: number
  size: number
}

/** Square, circle, diamond, hexagon, triangle, pill, pentagon, ring: told apart without colour. */
export const SHAPES: Readonly<Record<Line, Shape>> = {
  a: { path: 'M6 1h20a5 5 0 0 1 5 5v20a5 5 0 0 1-5 5H6a5 5 0 0 1-5-5V6a5 5 0 0 1 5-5z', y: 22.5, size: 19 },
  b: { path: 'M16 0.5a15.5 15.5 0 1 1 0 31a15.5 15.5 0 1 1 0-31z', y: 22.5, size: 18 },
  c: { path: 'M16 0L32 16L16 32L0 16z', y: 21.5, size: 15 },
  d: { path: 'M16 0.5L30 8.2v15.6L16 31.5L2 23.8V8.2z', y: 22, size: 17 },
  e: { path: 'M16 1L32 30H0z', y: 27, size: 14 },
  f: { path: 'M10 5h12a11 11 0 0 1 0 22H10a11 11 0 0 1 0-22z', y: 22, size: 16 },
  g: { path: 'M16 0.5L31.5 12L25.6 30.5H6.4L0.5 12z', y: 23.5, size: 16 },
  h: { path: 'M16 2.2a13.8 13.8 0 1 1 0 27.6a13.8 13.8 0 1 1 0-27.6z', y: 21.5, size: 15 },
}
