import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Column, Encoder, Row, Value } from './column.ts'

/** Rows of a group, all of which are in memory at once. */
const GROUP_ROWS = 20_000

const ELEMENTS = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT64' },
  number: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  date: { type: 'INT32', converted_type: 'DATE' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
} as const

function stored(value: Value, type: Column['type']): unknown {
  if (value === null) return undefined
  if (type === 'integer') return BigInt(value as number)
  return type === 'date' || type === 'time' ? new Date(value as string) : value
}

/** Apache Parquet, Snappy, each column optional. */
export function parquet(columns: readonly Column[]): Encoder {
  const bytes = new ByteWriter()
  const file = new ParquetWriter({
    writer: bytes,
    createdBy: 'SmartQueue',
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, type }) => ({ name, repetition_type: 'OPTIONAL' as const, ...ELEMENTS[type] })),
    ],
  })
  let held: Row[] = []
  const taken = (): Uint8Array[] => {
    const piece = bytes.getBytes().slice()
    // What was taken is written over; offsets in the file go on.
    bytes.index = 0
    return piece.length > 0 ? [piece] : []
  }
  const group = () => {
    const rows = held
    held = []
    if (rows.length === 0) return
    void file.write({
      rowGroupSize: GROUP_ROWS,
      columnData: columns.map(({ name, type }) => ({ name, data: rows.map((row) => stored(row[name] ?? null, type)) })),
    })
  }
  return {
    rows(rows) {
      held.push(...rows)
      if (held.length < GROUP_ROWS) return []
      group()
      return taken()
    },
    end() {
      group()
      void file.finish()
      return taken()
    },
  }
}
