import { Unzip, UnzipInflate } from 'fflate'
import { AppError } from '../../kernel/errors.ts'
import type { Operation } from '../../kernel/operation.ts'

const MOST_ROWS = 5000
const MOST_COLUMNS = 50
/** What a workbook of so many rows and columns unfolds to, and some more. */
const MOST_UNFOLDED_BYTES = 40_000_000
/** What is unfolded at once: a thousandfold at most. */
const PIECE_BYTES = 4096

/** A cell as it was read: text of CSV; of a workbook also numbers, truth values and times. */
type Cell = string | number | boolean | Date | null
type Input = Record<string, unknown>

const unreadable = (cause?: unknown) => new AppError('invalid_input', 'import_unreadable', { cause })

/** Rows of a file, the first of which has the names. @throws AppError `import_unreadable`, `import_too_long` */
export async function readTable(format: 'csv' | 'xlsx', content: Buffer): Promise<{ names: string[]; rows: Cell[][] }> {
  const table = await (format === 'csv' ? readCsv(content) : readWorkbook(content)).catch((error: unknown) => {
    throw error instanceof AppError ? error : unreadable(error)
  })
  const [head, ...rows] = table
  const names = (head ?? []).map((cell) => String(cell ?? '').trim())
  if (names.every((name) => name === '') || names.length > MOST_COLUMNS) throw unreadable()
  if (rows.length > MOST_ROWS) throw new AppError('invalid_input', 'import_too_long', { params: { most: MOST_ROWS } })
  return { names, rows }
}

async function readCsv(content: Buffer): Promise<Cell[][]> {
  const { parse } = await import('csv-parse/sync')
  // As spreadsheets of several languages write it.
  const head = content.subarray(0, 4096).toString().split(/\r?\n/, 1)[0]!
  const delimiter = [';', '\t', ','].reduce(
    (best, each) => (head.split(each).length > head.split(best).length ? each : best),
    ',',
  )
  const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
  return parse(text, {
    bom: true,
    delimiter,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: 100_000,
  })
}

/** A workbook is an archive, which may unfold to a thousand times its size. @throws AppError too_large before it does */
function checkUnfolded(content: Buffer): void {
  let unfolded = 0
  const archive = new Unzip((file) => {
    file.ondata = (error, chunk) => {
      if (error) throw error
      unfolded += chunk.length
      if (unfolded > MOST_UNFOLDED_BYTES) throw new AppError('too_large', 'payload_too_large')
    }
    file.start()
  })
  archive.register(UnzipInflate)
  for (let at = 0; at < content.length; at += PIECE_BYTES)
    archive.push(content.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= content.length)
}

async function readWorkbook(content: Buffer): Promise<Cell[][]> {
  checkUnfolded(content)
  const { default: readXlsx } = await import('read-excel-file/node')
  const [sheet] = await readXlsx(content)
  return (sheet?.data ?? []) as Cell[][]
}

interface Schema {
  type?: string
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  items?: Schema
}
const typesOf = (schema: Schema): string[] =>
  schema.anyOf ? schema.anyOf.flatMap(typesOf) : schema.type ? [schema.type] : []

const TRUE = /^(1|true|yes|y|oui|o|vrai|نعم)$/i
const FALSE = /^(0|false|no|n|non|faux|لا)$/i

/** A cell as the operation's schema wants it; what cannot be read so stays as it is, and is refused by the schema. */
function coerced(cell: Cell, schema: Schema): unknown {
  const types = typesOf(schema)
  if (cell instanceof Date) return cell.toISOString()
  if (types.includes('array'))
    return String(cell)
      .split(',')
      .map((item) => coerced(item.trim(), schema.items ?? {}))
  // An apostrophe that guarded a cell in an export is no part of it.
  const text = String(cell).replace(/^'(?=[=+\-@])/, '')
  if (types.includes('boolean') && TRUE.test(text)) return true
  if (types.includes('boolean') && FALSE.test(text)) return false
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+([.,]\d+)?$/.test(text))
    return Number(text.replace(',', '.'))
  return types.includes('string') || typeof cell === 'string' ? text : cell
}

/**
 * What a row asks of `op`. A column is called as in the operation's input, of an object within it `customer.name`; others by
 * `mapping`. An empty cell says nothing.
 */
export function inputOf(
  op: Operation,
  names: readonly string[],
  row: readonly Cell[],
  mapping: Readonly<Record<string, string>>,
): Input {
  const input: Input = {}
  for (const [i, name] of names.entries()) {
    const cell = row[i] ?? null
    const path = mapping[name] ?? name
    if (path === '' || cell === null || cell === '') continue
    const [first, second] = path.split('.', 2) as [string, string | undefined]
    const schema = (op.input as Schema).properties?.[first] ?? {}
    if (second === undefined) input[first] = coerced(cell, schema)
    else {
      const inner = schema.properties?.[second] ?? {}
      input[first] = { ...(input[first] as Input | undefined), [second]: coerced(cell, inner) }
    }
  }
  return input
}
