import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'

/** One row of a trace. Times are seconds since 1970-01-01 in local wall-clock time, so `t % 86400` is the time of day. */
export interface Visit {
  arrival_s: number
  /** Null when the customer left unserved. */
  start_s: number | null
  /** End of service, or the instant of leaving; null when the source does not know it. */
  end_s: number | null
  class: string
  server: string | null
  abandoned: boolean
  /** Counters open at this arrival; null when the source does not know it. */
  open_servers: number | null
  scored: boolean
}

const HEADER = 'arrival_s,start_s,end_s,class,server,abandoned,open_servers,scored'

/**
 * Reads a gzip CSV trace row by row, in the file's order.
 * @throws Error naming the line when the header or a row is not a trace's, or when arrivals go back in time
 */
export async function* readTrace(path: string): AsyncGenerator<Visit> {
  const source = createReadStream(path)
  const text = source.pipe(createGunzip())
  // pipe() does not carry errors: without this an unreadable file would hang the reader instead of failing it.
  source.on('error', (error) => text.destroy(error))
  let line = 0
  let last = Number.NEGATIVE_INFINITY
  for await (const row of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    if (line === 1) {
      if (row.trim() !== HEADER) throw new Error(`${path}: not a trace, its first line must be ${HEADER}`)
      continue
    }
    if (row === '') continue
    const visit = parseVisit(row)
    if (!visit) throw new Error(`${path}:${line}: not a row of a trace: ${row}`)
    if (visit.arrival_s < last) throw new Error(`${path}:${line}: arrivals must not go back in time`)
    last = visit.arrival_s
    yield visit
  }
  if (line === 0) throw new Error(`${path}: empty trace`)
}

/** One CSV row as a visit, or null when it is not one. */
export function parseVisit(row: string): Visit | null {
  const cells = row.split(',')
  if (cells.length !== 8) return null
  const [arrival, start, end, name, server, abandoned, open, scored] = cells as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const numbers = [arrival, start, end, open].map((cell) => (cell === '' ? null : Number(cell)))
  const [arrival_s, start_s, end_s, open_servers] = numbers as [
    number | null,
    number | null,
    number | null,
    number | null,
  ]
  if (
    arrival_s === null ||
    name === '' ||
    numbers.some((value) => value !== null && !(Number.isFinite(value) && value >= 0))
  )
    return null
  if (!/^[01]$/.test(abandoned) || !/^[01]$/.test(scored)) return null
  const isAbandoned = abandoned === '1'
  // A served customer has a start, one who left has the instant of leaving; nothing ends before it begins.
  if (isAbandoned ? end_s === null || end_s < arrival_s : start_s === null || start_s < arrival_s) return null
  if (!isAbandoned && end_s !== null && end_s < (start_s as number)) return null
  return {
    arrival_s,
    start_s: isAbandoned ? null : start_s,
    end_s,
    class: name,
    server: server || null,
    abandoned: isAbandoned,
    open_servers,
    scored: scored === '1',
  }
}
