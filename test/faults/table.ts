/** A figure and what it has to be. */
export interface Figure {
  scenario: string
  what: string
  measured: number
  goal: { is: number } | { atLeast: number } | { atMost: number }
}

export type Goal = [measured: number, goal: Figure['goal']]
export const none = (measured: number): Goal => [measured, { is: 0 }]
export const atMost = (goal: number, measured: number): Goal => [measured, { atMost: goal }]
export const atLeast = (goal: number, measured: number): Goal => [measured, { atLeast: goal }]

export const isMet = ({ measured, goal }: Figure): boolean =>
  'is' in goal ? measured === goal.is : 'atMost' in goal ? measured <= goal.atMost : measured >= goal.atLeast

const sign = (goal: Figure['goal']): string =>
  'is' in goal ? String(goal.is) : 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`

/** Figures aligned in columns, one line each. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.scenario,
    figure.what,
    sign(figure.goal),
    String(figure.measured),
    isMet(figure) ? 'ok' : 'FAILED',
  ])
  const lines = [['scenario', 'figure', 'goal', 'measured', ''], ...rows]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 2 || column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
