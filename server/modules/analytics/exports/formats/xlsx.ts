import { strToU8, Zip, ZipDeflate } from 'fflate'
import type { Column, Encoder, Row, Value } from './column.ts'

/** A sheet has 1 048 576 rows; the rest goes on another one. */
const MOST_ROWS = 1_000_000
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const DAY_MS = 86_400_000
/** Day 0 of spreadsheets. */
const EPOCH_MS = Date.UTC(1899, 11, 30)

/** Characters that XML cannot hold are left out. */
const escaped = (text: string) =>
  text
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')

/** Text is written as text, which no spreadsheet takes for a formula, whatever it begins with. Times are in UTC. */
function cell(value: Value, type: Column['type'], at: string): string {
  if (value === null) return ''
  if (typeof value === 'number') return `<c r="${at}"><v>${value}</v></c>`
  if (typeof value === 'boolean') return `<c r="${at}" t="b"><v>${value ? 1 : 0}</v></c>`
  if (type === 'date' || type === 'time') {
    const days = (Date.parse(value) - EPOCH_MS) / DAY_MS
    return `<c r="${at}" s="${type === 'date' ? 1 : 2}"><v>${days}</v></c>`
  }
  return `<c r="${at}" t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`
}

/** `A`, `B` … `Z`, `AA` … */
const letters = (index: number): string =>
  (index >= 26 ? letters(Math.floor(index / 26) - 1) : '') + String.fromCharCode(65 + (index % 26))

const STYLES = `${HEAD}<styleSheet xmlns="${MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font/><font><b/></font></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>`

/** An Office Open XML workbook (ECMA-376), compressed as it is written. @param isRtl sheets are read from right to left */
export function xlsx(
  columns: readonly Column[],
  options: { title: string; isRtl: boolean; sheetRows?: number },
): Encoder {
  const { sheetRows = MOST_ROWS } = options
  let pieces: Uint8Array[] = []
  const zip = new Zip((error, piece) => {
    if (error) throw error
    pieces.push(piece)
  })
  const taken = () => {
    const made = pieces
    pieces = []
    return made
  }
  const add = (name: string, text: string) => {
    const file = new ZipDeflate(name, { level: 6 })
    zip.add(file)
    file.push(strToU8(text), true)
  }
  let sheets = 0
  let inSheet = 0
  let sheet: ZipDeflate | undefined
  const at = columns.map((_, i) => letters(i))
  const heading = columns.map(
    ({ name }, i) => `<c r="${at[i]}1" s="3" t="inlineStr"><is><t>${escaped(name)}</t></is></c>`,
  )
  const open = (): ZipDeflate => {
    sheet = new ZipDeflate(`xl/worksheets/sheet${++sheets}.xml`, { level: 3 })
    inSheet = 0
    zip.add(sheet)
    const view = `<sheetViews><sheetView workbookViewId="0"${options.isRtl ? ' rightToLeft="1"' : ''}><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>`
    sheet.push(strToU8(`${HEAD}<worksheet xmlns="${MAIN}">${view}<sheetData><row r="1">${heading.join('')}</row>`))
    return sheet
  }
  const close = () => {
    sheet?.push(strToU8('</sheetData></worksheet>'), true)
    sheet = undefined
  }
  const write = (rows: readonly Row[]) => {
    const file = sheet ?? open()
    const lines = rows.map((row, n) => {
      const line = inSheet + n + 2
      const cells = columns.map(({ name, type }, i) => cell(row[name] ?? null, type, `${at[i]}${line}`))
      return `<row r="${line}">${cells.join('')}</row>`
    })
    file.push(strToU8(lines.join('')))
    inSheet += rows.length
  }
  return {
    rows(rows) {
      for (let from = 0; from < rows.length;) {
        if (inSheet >= sheetRows) close()
        const room = sheet ? sheetRows - inSheet : sheetRows
        write(rows.slice(from, from + room))
        from += room
      }
      return taken()
    },
    end() {
      if (sheets === 0) open()
      close()
      const numbers = Array.from({ length: sheets }, (_, i) => i + 1)
      // A sheet's name has at most 31 characters, and none of these.
      const title = escaped(options.title.replace(/[\\/?*[\]:]/g, ' ').slice(0, 26)) || 'Sheet'
      add('xl/styles.xml', STYLES)
      add(
        'xl/workbook.xml',
        `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets>${numbers.map((n) => `<sheet name="${title}${n === 1 ? '' : ` ${n}`}" sheetId="${n}" r:id="rId${n}"/>`).join('')}</sheets></workbook>`,
      )
      add(
        'xl/_rels/workbook.xml.rels',
        `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">${numbers.map((n) => `<Relationship Id="rId${n}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${n}.xml"/>`).join('')}<Relationship Id="rIdS" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
      )
      add(
        '_rels/.rels',
        `${HEAD}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
      )
      const type = (part: string, kind: string) =>
        `<Override PartName="${part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml"/>`
      add(
        '[Content_Types].xml',
        `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${type('/xl/workbook.xml', 'sheet.main')}${type('/xl/styles.xml', 'styles')}${numbers.map((n) => type(`/xl/worksheets/sheet${n}.xml`, 'worksheet')).join('')}</Types>`,
      )
      zip.end()
      return taken()
    },
  }
}
