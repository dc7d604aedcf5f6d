import { stringify } from 'csv-stringify/sync'
import { sheetText } from '../../../../../shared/sheet-text.ts'
import type { Column, Encoder, Value } from './column.ts'

/** Text that somebody typed stays text where it is opened. Numbers stay numbers. */
export const guarded = (value: Value): Value => (typeof value === 'string' ? sheetText(value) : value)

/** RFC 4180 in UTF-8; the mark in front tells spreadsheets so. */
export function csv(columns: readonly Column[]): Encoder {
  const write = (rows: readonly (readonly Value[])[]) =>
    Buffer.from(stringify(rows as Value[][], { record_delimiter: '\r\n', cast: { boolean: String } }))
  let head: Uint8Array[] = [Buffer.from('\ufeff'), write([columns.map(({ name }) => name)])]
  const begin = () => {
    const pieces = head
    head = []
    return pieces
  }
  return {
    rows: (rows) => [...begin(), write(rows.map((row) => columns.map(({ name }) => guarded(row[name] ?? null))))],
    end: begin,
  }
}
