import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const directory = mkdtempSync(join(tmpdir(), 'replay-'))
const header = 'arrival_s,start_s,end_s,class,server,abandoned,open_servers,scored'

/** Two days at an office of two queues: one busy with two counters, one calm; some give up. */
export function officeTrace(): string {
  const rows: [number, string][] = []
  for (const day of [18000, 18001]) {
    const opening = day * 86_400 + 9 * 3600
    for (let n = 0; n < 60; n++) {
      const arrival = opening + Math.floor(n / 2) * 60
      rows.push([
        arrival,
        n % 7 === 6
          ? `${arrival},,${arrival + 240},Office:1,,1,2,1`
          : `${arrival},${opening + 60 + n * 70},,Office:1,,0,2,1`,
      ])
      if (n % 3 === 0) rows.push([arrival + 30, `${arrival + 30},${arrival + 30 + (n % 4) * 40},,Office:2,,0,1,1`])
    }
  }
  return file('office', rows)
}
/** A pool of three named agents, two priorities. */
export function bankTrace(): string {
  const rows: [number, string][] = []
  for (let n = 0; n < 120; n++) {
    const arrival = 918_000_000 + n * 20
    rows.push([
      arrival,
      n % 11 === 5
        ? `${arrival},,${arrival + 45},R-NW,,1,,1`
        : `${arrival},${arrival + 5},${arrival + 5 + 30 + ((n * 37) % 60)},${n % 4 === 0 ? 'P' : 'R'}-PS,a${n % 3},0,,1`,
    ])
  }
  return file('bank', rows)
}
function file(name: string, rows: [number, string][]): string {
  const path = join(directory, `${name}.csv.gz`)
  rows.sort(([a], [b]) => a - b)
  writeFileSync(path, gzipSync([header, ...rows.map(([, row]) => row), ''].join('\n')))
  return path
}
