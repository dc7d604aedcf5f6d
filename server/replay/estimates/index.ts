import type { Writable } from 'node:stream'
import { linesOf } from './replay.ts'
import { readRows } from './rows.ts'

/**
 * Writes what the wait-time predictor tells in a trace, one JSON line per scored arrival in the trace's order, or with
 * `isLive` one line at one instant of each scored wait of more than two minutes: docs/wait-times.md.
 */
export function replayEstimates(path: string, isLive: boolean, out: Pick<Writable, 'write'>): void {
  let block = ''
  for (const line of linesOf(readRows(path), isLive)) {
    block += `${line}\n`
    if (block.length > 65_536) {
      out.write(block)
      block = ''
    }
  }
  out.write(block)
}
