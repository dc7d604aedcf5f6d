/** What a column of an export holds, and how each format writes it. */
export interface Column {
  name: string
  type: 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'time'
}
export type Value = string | number | boolean | null
export type Row = Readonly<Record<string, Value>>

/** Makes a file of rows, piece by piece: what it holds between two calls does not grow with the number of rows. */
export interface Encoder {
  /** May hold rows back until they fill a piece. */
  rows(rows: readonly Row[]): Uint8Array[]
  end(): Uint8Array[]
}
