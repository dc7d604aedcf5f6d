import type { Goal } from '../faults/table.ts'

/** What a scenario has to work with. */
export interface Run {
  isQuick: boolean
  seed: number
  secretKey: string
  /** Ends the run early. */
  signal: AbortSignal
  /** Of the command line, as `--tickets 1000000`; the first when the run is quick. */
  amount(name: string, quick: number, full: number): number
  /** Of the command line too, as `--from v1.2.0`. */
  word(name: string): string | undefined
  say(line: string): void
  note(goals: Record<string, Goal>): void
}
/** Told, with no goal of its own. */
export const told = (measured: number): Goal => [measured, { atLeast: 0 }]
export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
