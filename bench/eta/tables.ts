import { type Goal, isMet } from './goals.ts'
import type { Score } from './score.ts'

type Scores = Readonly<Record<string, Score>>

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
const figure = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1))
const percent = (value: number) => `${(100 * value).toFixed(1)} %`

export function scoreTable(scores: Scores): string {
  const rows = Object.entries(scores).map(([name, s]) => [
    name,
    String(s.n),
    figure(s.meanWait),
    figure(s.mae),
    `${figure(s.baselines[s.best]!)} (${s.best})`,
    (s.mae / s.baselines[s.best]!).toFixed(3),
    figure(s.bias),
    percent(s.coverage),
    percent(s.coverageOfBadDay),
    `${figure(s.pinball)} : ${figure(s.pinballReference)}`,
    (s.cold / s.coldReference).toFixed(2),
    `${figure(s.live)} : ${figure(s.liveBaselines[s.liveBest]!)} (${s.liveBest})`,
    percent(s.liveCoverage),
  ])
  const head =
    'trace,tickets,mean wait s,error s,best formula,ratio,bias s,in interval,worst day of ten,pinball 10 + 90 : fitted to best,first 300,live : best,live in interval'
  return markdown(head.split(','), rows)
}

/** Mean absolute error of every formula on every trace, in seconds; the best of a trace in bold. */
export function baselineTable(scores: Scores): string {
  const names = Object.keys(scores)
  const formulas = Object.keys(Object.values(scores)[0]?.baselines ?? {})
  const rows = formulas.map((formula) => [
    formula,
    ...names.map((name) => {
      const { baselines, best } = scores[name]!
      return best === formula ? `**${figure(baselines[formula]!)}**` : figure(baselines[formula]!)
    }),
  ])
  return markdown(
    ['error at issue, s', ...names],
    [...rows, ['SmartQueue', ...names.map((name) => figure(scores[name]!.mae))]],
  )
}

export function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => [
    `${goal.id}: ${goal.text}`,
    goal.atMost === undefined ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`,
    goal.measured.toFixed(4),
    isMet(goal) ? 'met' : 'not met',
  ])
  return markdown(['goal', 'is', 'measured', ''], rows)
}
