export type Kind = 'image' | 'video'
interface Known {
  kind: Kind
  type: string
}
/** What stands where at the beginning, in hexadecimal or, for names, in letters. */
const TYPES: readonly (Known & { first?: string; at?: number; words?: readonly string[] })[] = [
  { kind: 'image', type: 'image/jpeg', first: 'ffd8ff' },
  { kind: 'image', type: 'image/png', first: '89504e470d0a1a0a' },
  { kind: 'image', type: 'image/gif', at: 0, words: ['GIF87a', 'GIF89a'] },
  { kind: 'image', type: 'image/webp', first: '52494646', at: 8, words: ['WEBP'] },
  { kind: 'image', type: 'image/avif', at: 4, words: ['ftypavif', 'ftypavis'] },
  {
    kind: 'video',
    type: 'video/mp4',
    at: 4,
    words: ['isom', 'iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'mp41', 'mp42', 'avc1', 'M4V ', 'dash', 'MSNV'].map(
      (brand) => `ftyp${brand}`,
    ),
  },
  { kind: 'video', type: 'video/webm', first: '1a45dfa3' },
]
/** What is looked at of a file. */
export const HEAD_BYTES = 16

/** What a file is by how it begins, whatever it is called; undefined for everything else, SVG among it. */
export function sniff(head: Buffer): Known | undefined {
  return TYPES.find(
    ({ first = '', at = 0, words }) =>
      head.toString('hex').startsWith(first) &&
      (words === undefined || words.some((word) => head.toString('latin1', at, at + word.length) === word)),
  )
}
