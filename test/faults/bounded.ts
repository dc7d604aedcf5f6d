import { isMet, table, type Figure, type Goal } from './table.ts'

/** What is left for the end of everything. */
const END_WITHIN_SECONDS = 12

/** A command that measures figures against their goals and ends by itself, whatever hangs. */
export interface BoundedRun {
  /** Aborted when time is over, or somebody wants an end. */
  signal: AbortSignal
  /** A line with the seconds since the beginning. */
  say(line: string): void
  note(scenario: string, goals: Record<string, Goal>): void
  /** Does the work, prints all figures and ends the process: with exit code 1 when it failed, one is missed, or there is none. */
  finish(work: () => Promise<void>): Promise<never>
}

/** @param maxSeconds from now; what was started ends with this process, some seconds later */
export function boundedRun(maxSeconds: number): BoundedRun {
  const started = performance.now()
  const seconds = () => Math.round((performance.now() - started) / 1000)
  const ending = new AbortController()
  const figures: Figure[] = []
  function endEarly(why: string) {
    console.error(why)
    process.exitCode = 1
    ending.abort()
    // Servers and PostgreSQL notice the end of this process by themselves.
    setTimeout(() => process.exit(1), END_WITHIN_SECONDS * 1000).unref()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => endEarly(name))
  setTimeout(() => endEarly(`not done after ${maxSeconds} s`), maxSeconds * 1000).unref()
  return {
    signal: ending.signal,
    say: (line) => console.log(`${String(seconds()).padStart(4)} s  ${line}`),
    note(scenario, goals) {
      for (const [what, [measured, goal]] of Object.entries(goals)) figures.push({ scenario, what, measured, goal })
    },
    async finish(work) {
      try {
        await work()
      } catch (error) {
        console.error(error)
        process.exitCode = 1
      }
      console.log(`\n${table(figures)}\n`)
      const missed = figures.filter((figure) => !isMet(figure)).length
      // Nothing measured is nothing shown.
      if (missed > 0 || figures.length === 0) process.exitCode = 1
      console.log(`${figures.length - missed} of ${figures.length} figures as they must be, in ${seconds()} s`)
      // Not by having nothing left to do: Node's own clearing away may then turn round for ever, with what a killed server left open.
      return process.exit()
    },
  }
}
