/** Solves integer programmes, for `shift-plan.ts`: the solver holds its process until it is done. */
import type { LegacyHighs } from 'highs'
import { answerApart } from '../../kernel/apart.ts'

const WITHIN_SECONDS = 5

/** Loaded when somebody asks for the first plan: it is WebAssembly. */
let solver: Promise<LegacyHighs> | undefined
// The package is CommonJS whose types describe an ES module: its one export is the loader itself.
const loadSolver = () =>
  (solver ??= import('highs').then((module) => (module.default as unknown as () => Promise<LegacyHighs>)()))

answerApart(async ({ programme }: { programme: string }): Promise<Solved> => {
  const { Status, Columns } = (await loadSolver()).solve(programme, { time_limit: WITHIN_SECONDS })
  if (Status !== 'Optimal') return null
  return Object.fromEntries(
    Object.entries(Columns).map(([name, column]) => [name, Math.round((column as { Primal: number }).Primal)]),
  )
})
/** What each unknown is; null when there is no best answer, or none in time. */
export type Solved = Record<string, number> | null
