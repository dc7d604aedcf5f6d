/** Least contrast of text, WCAG 2.2 AA. */
export const LEAST_CONTRAST = 4.5
/** Grounds of the screens: the page's own, and cards. Text on a button of the colour is white. */
const GROUNDS = ['#FBFAF7', '#FFFFFF']

const channels = (colour: string) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
const linear = (channel: number) => {
  const share = channel / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map(linear)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
/** Contrast of two colours `#RRGGBB`, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}
/** Of a colour as text on the screens' grounds and as the ground of white text: the worst. */
export const brandContrast = (colour: string): number => Math.min(...GROUNDS.map((ground) => contrast(colour, ground)))

/** The colour, darkened by `share` (0 to 1), its hue kept. */
export const darker = (colour: string, share: number): string =>
  `#${channels(colour)
    .map((channel) =>
      Math.round(channel * (1 - share))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')
    .toUpperCase()}`

/** The nearest darker colour of the same hue that can be read; the colour itself when it can. */
export function readable(colour: string): string {
  for (let step = 0; step < 256; step++) {
    const candidate = darker(colour, step / 256)
    if (brandContrast(candidate) >= LEAST_CONTRAST) return candidate
  }
  return '#000000'
}
