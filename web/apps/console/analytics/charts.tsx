import { stopwatch } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import type { ReportData, Row } from './report.tsx'

const WIDTH = 720
const HEIGHT = 220
const BASE = 190
const START = 56

/** Round steps up to the most: 0, 10, 20, 30 minutes; 0, 2, 4. */
function steps(most: number, units: readonly number[]): number[] {
  const unit = units.find((each) => most / each <= 4) ?? units.at(-1)!
  return Array.from({ length: Math.ceil(most / unit) + 1 }, (_, i) => i * unit)
}
const numberAt = ({ cells }: Row, index: number) => cells[index] as number | null
const xOf = (index: number, count: number) => START + ((index + 0.5) * (WIDTH - START)) / count

function Axis({ ticks, top, text }: { ticks: readonly number[]; top: number; text(value: number): string }) {
  return (
    <>
      {ticks.map((tick) => {
        const y = BASE - (tick / top) * (BASE - 10)
        return (
          <g key={tick}>
            <path className="chart-grid" d={`M${START} ${y}H${WIDTH}`} />
            <text className="chart-text" x={START - 6} y={y + 4} textAnchor="end">
              {text(tick)}
            </text>
          </g>
        )
      })}
    </>
  )
}

function Labels({ rows }: { rows: readonly Row[] }) {
  const every = Math.ceil(rows.length / 14)
  return rows.map(
    ({ key, cells }, index) =>
      index % every === 0 && (
        <text key={key} className="chart-text" x={xOf(index, rows.length)} y={HEIGHT - 10} textAnchor="middle">
          {String(cells[0])}
        </text>
      ),
  )
}

/** Half of people waited up to the line, nine of ten up to the edge of the band. Columns: hour, P50, P90, and the P50 before. */
export function WaitBand({ data, label }: { data: ReportData; label: string }) {
  const { rows } = data
  const ticks = steps(Math.max(60, ...rows.map((row) => numberAt(row, 2) ?? 0)), [60, 300, 600, 900, 1800, 3600])
  const top = ticks.at(-1)!
  const y = (seconds: number) => BASE - (seconds / top) * (BASE - 10)
  const points = (index: number) =>
    rows.flatMap((row, i) => {
      const value = numberAt(row, index)
      return value === null ? [] : [`${xOf(i, rows.length).toFixed(1)} ${y(value).toFixed(1)}`]
    })
  const upper = points(2)
  const lower = points(1)
  const before = data.columns.length > 3 ? points(3) : []
  return (
    <svg className="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <Axis
        ticks={ticks}
        top={top}
        text={(tick) => (tick === top ? t('analytics.minutes', { count: tick / 60 }) : String(tick / 60))}
      />
      {upper.length > 1 && <path className="chart-band" d={`M${upper.join('L')}L${lower.toReversed().join('L')}Z`} />}
      {before.length > 1 && <path className="chart-before" d={`M${before.join('L')}`} />}
      {lower.length > 1 && <path className="chart-line" d={`M${lower.join('L')}`} />}
      {rows.map((row, index) => {
        const p50 = numberAt(row, 1)
        const p90 = numberAt(row, 2)
        if (p50 === null) return null
        return (
          <circle
            key={row.key}
            className="chart-point"
            cx={xOf(index, rows.length)}
            cy={y(p50)}
            r="4"
            data-row={row.key}
            data-p50={p50}
            data-p90={p90}
          >
            <title>{`${String(row.cells[0])}: ${stopwatch(p50)} – ${stopwatch(p90 ?? 0)}`}</title>
          </circle>
        )
      })}
      <Labels rows={rows} />
    </svg>
  )
}

/** Needed as bars, planned as a line of steps. Columns: half hour, needed, planned. */
export function NeedAndPlan({ data, label }: { data: ReportData; label: string }) {
  const { rows } = data
  const ticks = steps(
    Math.max(1, ...rows.flatMap((row) => [numberAt(row, 1) ?? 0, numberAt(row, 2) ?? 0])),
    [1, 2, 5, 10, 20, 50, 100],
  )
  const top = ticks.at(-1)!
  const y = (value: number) => BASE - (value / top) * (BASE - 10)
  const width = (WIDTH - START) / rows.length
  const plan = rows
    .map(
      (row, i) =>
        `${i === 0 ? 'M' : 'V'}${i === 0 ? `${START} ` : ''}${y(numberAt(row, 2) ?? 0)}H${START + (i + 1) * width}`,
    )
    .join('')
  return (
    <svg className="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <Axis ticks={ticks} top={top} text={String} />
      {rows.map((row, index) => {
        const needed = numberAt(row, 1) ?? 0
        const planned = numberAt(row, 2) ?? 0
        return (
          <rect
            key={row.key}
            className="chart-bar"
            x={START + index * width + 1.5}
            width={Math.max(1, width - 3)}
            y={y(needed)}
            height={BASE - y(needed)}
            data-row={row.key}
            data-needed={needed}
            data-planned={planned}
            data-short={planned < needed || undefined}
          >
            <title>{`${row.key}: ${needed} / ${planned}`}</title>
          </rect>
        )
      })}
      <path className="chart-plan" d={plan} />
      <Labels rows={rows} />
    </svg>
  )
}

/** Each step as wide as its share of the first. Columns: step, people, share. */
export function Funnel({ data }: { data: ReportData }) {
  return (
    <ol className="funnel">
      {data.rows.map((row) => (
        <li key={row.key} data-row={row.key} data-people={numberAt(row, 1)}>
          <span>{String(row.cells[0])}</span>
          <span className="funnel-bar" style={{ inlineSize: `${Math.max(0.5, (numberAt(row, 2) ?? 0) * 100)}%` }} />
          <strong>{numberAt(row, 1)}</strong>
        </li>
      ))}
    </ol>
  )
}
