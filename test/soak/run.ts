import type { Figure } from '../faults/table.ts'

/** What a scenario has to work with. */
export interface Run {
  isQuick: boolean
  seed: number
  secretKey: string
  /** Ends the run early. */
  signal: AbortSignal
  /** Of the command line, as `--tickets 1000000`; the first when the run is quick. */
  amount(name: string, quick: number, full: number): number
  say(line: string): void
  note(goals: Record<string, Goal>): void
}
type Goal = [measured: number, goal: Figure['goal']]

export const none = (measured: number): Goal => [measured, { is: 0 }]
export const atMost = (goal: number, measured: number): Goal => [measured, { atMost: goal }]
export const atLeast = (goal: number, measured: number): Goal => [measured, { atLeast: goal }]
/** Told, with no goal of its own. */
export const told = (measured: number): Goal => [measured, { atLeast: 0 }]
export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
