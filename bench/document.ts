import { readFileSync, writeFileSync } from 'node:fs'
import { isMet, type Verdict } from './goals.ts'
import type { Machine } from './machine.ts'

const DOCUMENT = new URL('../docs/performance.md', import.meta.url)

/** Where each kind of result is shown. */
const PLACES = {
  results: DOCUMENT,
  realtime: DOCUMENT,
  'country-starts': DOCUMENT,
  'country-depth': DOCUMENT,
  'country-day': DOCUMENT,
  screens: new URL('../docs/screens.md', import.meta.url),
}

/** Puts the tables where a document shows such results. */
export function document(
  tables: string,
  { at, processor, cores, memoryGiB, node, postgres }: Machine,
  place: keyof typeof PLACES = 'results',
): void {
  const file = PLACES[place]
  const text = readFileSync(file, 'utf8')
  const where = `${at.slice(0, 10)}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node ${node}, PostgreSQL ${postgres}`
  const results = `${where}\n\n\`\`\`text\n${tables}\n\`\`\`\n`
  const written = text.replace(
    new RegExp(`(<!-- ${place}: .*-->\\n)[^]*(<!-- /${place} -->)`),
    (_, begin: string, end: string) => begin + results + end,
  )
  if (written === text) throw new Error(`${file.pathname} has lost its markers, or these results are there already`)
  writeFileSync(file, written)
}

/** A goal's row as `goalTable` writes it: up to its figure, the figure, and whether it is met. */
const FIGURE = /( +[\d.–]+) {2} *(?:not )?met(?: \(.*\))?$/

/** Puts what one contest measured into the rows of its goals, with the day; all else stays as it was measured. */
export function documentGoals(goals: readonly Verdict[], { at }: Machine): void {
  const lines = readFileSync(DOCUMENT, 'utf8').split('\n')
  for (const goal of goals) {
    const row = lines.findIndex((line) => line.startsWith(`${goal.text}  `) && FIGURE.test(line))
    if (row < 0) throw new Error(`docs/performance.md has no row for this goal: ${goal.text}`)
    lines[row] = lines[row]!.replace(FIGURE, (_, figure: string) => {
      const measured = goal.measured === null ? '–' : goal.measured.toFixed(2)
      return `${measured.padStart(figure.length)}  ${(isMet(goal) ? 'met' : 'not met').padStart(7)} (${at.slice(0, 10)})`
    })
  }
  writeFileSync(DOCUMENT, lines.join('\n'))
}
