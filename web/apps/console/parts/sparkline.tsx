/** The last half hour as a line a word high. Silent: the figure beside it says what counts. Gaps are times not on record. */
export function Sparkline({ values, target }: { values: readonly (number | null)[]; target: number | null }) {
  const known = values.filter((value) => value !== null)
  const most = Math.max(1, target ?? 0, ...known)
  const x = (index: number) => (index / Math.max(1, values.length - 1)) * 96 + 2
  const y = (value: number) => 22 - (value / most) * 20
  let path = ''
  let isDrawing = false
  for (const [index, value] of values.entries()) {
    if (value !== null) path += `${isDrawing ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
    isDrawing = value !== null
  }
  const last = values.at(-1)
  return (
    <svg className="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      {target !== null && <path className="sparkline-target" d={`M2 ${y(target).toFixed(1)}H98`} />}
      <path className="sparkline-line" d={path} />
      {last != null && <path className="sparkline-now" d={`M98 ${y(last).toFixed(1)}h0`} />}
    </svg>
  )
}
