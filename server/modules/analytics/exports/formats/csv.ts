import { stringify } from 'csv-stringify/sync'
import type { Column, Encoder, Value } from './column.ts'

/** What spreadsheets take for a formula at the start of a cell, in narrow and wide letters. */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

/** Text that somebody typed must stay text where it is opened: an apostrophe in front says so. Numbers stay numbers. */
export const guarded = (value: Value): Value => (typeof value === 'string' && FORMULA.test(value) ? `'${value}` : value)

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
