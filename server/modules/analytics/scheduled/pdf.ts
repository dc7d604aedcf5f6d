import { pdfOf } from '../../../kernel/pdf.ts'
import type { ReportText } from './lines.ts'

const MARGIN = 48
const ROW = 18
const INK = '#1b1b1b'
const FAINT = '#6b6b6b'
const LINE = '#d9d9d9'

/** A4, read from the right in Arabic. */
export async function reportPdf(report: ReportText, isRtl: boolean): Promise<Buffer> {
  const options = { size: 'A4', margin: MARGIN, ...(isRtl && { lang: 'ar' }), info: { Title: report.title } }
  return pdfOf(options, (doc, write) => {
    const width = doc.page.width - 2 * MARGIN
    let y = MARGIN

    const line = (
      text: string,
      box: { x: number; width: number; isEnd?: boolean },
      { size = 9, weight = 400, colour = INK }: { size?: number; weight?: 400 | 700; colour?: string } = {},
    ) =>
      write(
        text,
        isRtl,
        { x: box.x, y, width: box.width },
        { size, weight, colour, align: box.isEnd ? 'end' : 'start' },
      )
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
  })
}
