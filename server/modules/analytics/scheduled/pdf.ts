import { fileURLToPath } from 'node:url'
import bidiFactory from 'bidi-js'
import type { ReportText } from './lines.ts'

const FONTS = { latin: 'latin', arabic: 'arabic' } as const
type Script = keyof typeof FONTS
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
    // Spaces go with what is before them.
    const script = ARABIC.test(sign) ? 'arabic' : /\s/.test(sign) && last ? last.script : 'latin'
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

const MARGIN = 48
const ROW = 18
const INK = '#1b1b1b'
const FAINT = '#6b6b6b'
const LINE = '#d9d9d9'

/** A4, read from the right in Arabic. */
export async function reportPdf(report: ReportText, isRtl: boolean): Promise<Buffer> {
  const { default: PDFDocument } = await import('pdfkit')
  const doc = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    ...(isRtl && { lang: 'ar' }),
    info: { Title: report.title },
  })
  const pieces: Buffer[] = []
  doc.on('data', (piece: Buffer) => pieces.push(piece))
  const ended = new Promise<void>((resolve) => void doc.on('end', () => resolve()))
  for (const script of ['latin', 'arabic'] as const)
    for (const weight of [400, 700]) doc.registerFont(`${script}${weight}`, fontFile(script, weight))
  const width = doc.page.width - 2 * MARGIN
  let y = MARGIN

  const widthOf = (runs: readonly Run[], size: number, weight: number) =>
    runs.reduce((sum, { text, script }) => sum + doc.font(`${script}${weight}`).fontSize(size).widthOfString(text), 0)
  /** One line within a box, cut short where it does not fit. */
  const line = (
    text: string,
    box: { x: number; width: number; isEnd?: boolean },
    { size = 9, weight = 400, colour = INK } = {},
  ) => {
    let shown = text
    let runs = visualRuns(shown, isRtl)
    while (shown.length > 1 && widthOf(runs, size, weight) > box.width) {
      shown = `${shown.slice(0, shown.endsWith('…') ? -2 : -1)}…`
      runs = visualRuns(shown, isRtl)
    }
    const isRight = isRtl !== Boolean(box.isEnd)
    let x = isRight ? box.x + box.width - widthOf(runs, size, weight) : box.x
    for (const { text: part, script } of runs) {
      doc.font(`${script}${weight}`).fontSize(size).fillColor(colour)
      doc.text(part, x, y, { lineBreak: false })
      x += doc.widthOfString(part)
    }
  }
  const whole = { x: MARGIN, width }
  const room = (height: number) => {
    if (y + height <= doc.page.height - MARGIN) return
    doc.addPage()
    y = MARGIN
  }

  line(report.title, whole, { size: 18, weight: 700 })
  y += 28
  line(report.subtitle, whole, { size: 10, colour: FAINT })
  y += 26
  for (const { title, rows } of report.tables) {
    room(4 * ROW)
    line(title, whole, { size: 12, weight: 700 })
    y += 22
    const columns = rows[0]!.length
    const first = width * (columns > 3 ? 0.28 : 0.5)
    const other = (width - first) / (columns - 1)
    for (const [n, cells] of rows.entries()) {
      room(ROW)
      for (const [i, text] of cells.entries()) {
        const start = i === 0 ? 0 : first + (i - 1) * other
        const own = (i === 0 ? first : other) - 6
        const x = isRtl ? MARGIN + width - start - own : MARGIN + start
        line(text, { x, width: own, isEnd: i > 0 }, n === 0 ? { size: 8, colour: FAINT } : {})
      }
      y += ROW - 4
      doc
        .moveTo(MARGIN, y)
        .lineTo(MARGIN + width, y)
        .lineWidth(0.5)
        .strokeColor(LINE)
        .stroke()
      y += 4
    }
    y += 14
  }
  room(ROW)
  line(report.footer, whole, { size: 8, colour: FAINT })
  doc.end()
  await ended
  return Buffer.concat(pieces)
}
