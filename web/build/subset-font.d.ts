declare module 'subset-font' {
  /** The font with only the glyphs of `text`. */
  export default function subsetFont(
    font: Buffer,
    text: string,
    options: {
      targetFormat: 'woff2'
      variationAxes?: Record<string, number | { min: number; max: number }>
      noLayoutClosure?: boolean
    },
  ): Promise<Buffer>
}
