import { fileURLToPath } from 'node:url'
import bidiFactory from 'bidi-js'

const FONTS = { latin: 'latin', arabic: 'arabic' } as const
type Script = keyof typeof FONTS
/** Readex Pro, of which a document embeds the letters it uses. */
const fontFile = (script: Script, weight: number) =>
  fileURLToPath(import.meta.resolve(`@fontsource/readex-pro/files/readex-pro-${script}-${weight}-normal.woff`))
// Its types describe another build of it, where the function is below `default`.
const bidi = (bidiFactory as unknown as typeof bidiFactory.default)()
const ARABIC = /[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]/

/** Of one font, in the order in which it is drawn from left to right. */
export interface Run {
  text: string
  script: Script
}

/**
 * A line as runs from left to right: the Unicode bidirectional algorithm says in which order they stand, the font's own tables
 * join the letters of an Arabic run and turn it round.
 */
export function visualRuns(text: string, isRtl: boolean): Run[] {
  const levels = bidi.getEmbeddingLevels(text, isRtl ? 'rtl' : 'ltr')
  const runs: (Run & { level: number })[] = []
  // By units, as the levels are.
  for (const [i, sign] of text.split('').entries()) {
    const level = levels.levels[i]!
    const last = runs.at(-1)
    // A space between Arabic words stands alone: the document lays words out one by one, and would not turn their order.
    const script = ARABIC.test(sign) ? 'arabic' : 'latin'
    if (last && last.level === level && last.script === script) last.text += sign
    else runs.push({ text: sign, script, level })
  }
  const most = Math.max(0, ...runs.map(({ level }) => level))
  for (let level = most; level > 0; level--)
    for (let from = 0; from < runs.length; from++) {
      let to = from
      while (to < runs.length && runs[to]!.level >= level) to++
      runs.splice(from, to - from, ...runs.slice(from, to).toReversed())
      if (to > from) from = to
    }
  return runs.map(({ text, script }) => ({ text, script }))
}

const WEIGHTS = [400, 700] as const
type Weight = (typeof WEIGHTS)[number]
type Document = InstanceType<typeof import('pdfkit')>

export interface TextBox {
  x: number
  y: number
  width: number
}
export interface TextStyle {
  size: number
  weight?: Weight
  colour?: string
  align?: 'start' | 'center' | 'end'
}

/** Writes lines of any of the product's languages into a document, each in its own direction. */
export function writerOf(doc: Document) {
  for (const script of ['latin', 'arabic'] as const)
    for (const weight of WEIGHTS) doc.registerFont(`${script}${weight}`, fontFile(script, weight))
  const widthOf = (runs: readonly Run[], size: number, weight: Weight) =>
    runs.reduce((sum, { text, script }) => sum + doc.font(`${script}${weight}`).fontSize(size).widthOfString(text), 0)
  /** One line within a box, cut short where it does not fit. */
  return (text: string, isRtl: boolean, { x, y, width }: TextBox, style: TextStyle): void => {
    const { size, weight = 400, colour = '#1b1b1b', align = 'start' } = style
    let shown = text
    let runs = visualRuns(shown, isRtl)
    while (shown.length > 1 && widthOf(runs, size, weight) > width) {
      shown = `${shown.slice(0, shown.endsWith('…') ? -2 : -1)}…`
      runs = visualRuns(shown, isRtl)
    }
    const free = width - widthOf(runs, size, weight)
    const isAtRight = isRtl !== (align === 'end')
    let at = x + (align === 'center' ? free / 2 : isAtRight ? free : 0)
    for (const { text: part, script } of runs) {
      doc.font(`${script}${weight}`).fontSize(size).fillColor(colour)
      doc.text(part, at, y, { lineBreak: false })
      at += doc.widthOfString(part)
    }
  }
}

/** The bytes of a document once `draw` is done with it. */
export async function pdfOf(
  options: PDFKit.PDFDocumentOptions,
  draw: (doc: Document, write: ReturnType<typeof writerOf>) => void,
): Promise<Buffer> {
  // Loaded by the first document: most processes write none.
  const { default: PDFDocument } = await import('pdfkit')
  const doc = new PDFDocument(options)
  const pieces: Buffer[] = []
  doc.on('data', (piece: Buffer) => pieces.push(piece))
  const ended = new Promise<void>((resolve) => void doc.on('end', () => resolve()))
  draw(doc, writerOf(doc))
  doc.end()
  await ended
  return Buffer.concat(pieces)
}
