import type { ReactNode } from 'react'
import { stopwatch } from '../../../ui/format.ts'
import { t } from '../../../ui/messages.ts'
import { useWidth } from '../parts/use-width.ts'
import type { ReportData, Row } from './figures.tsx'

const HEIGHT = 220
const BASE = 190
/** Room for the figures of the scale. */
const START = 56
/** What a label of an hour needs. */
const LABEL = 52

/** Round steps up to the most: 0, 10, 20, 30 minutes; 0, 2, 4. */
function steps(most: number, units: readonly number[]): number[] {
  const unit = units.find((each) => most / each <= 4) ?? units.at(-1)!
  return Array.from({ length: Math.ceil(most / unit) + 1 }, (_, i) => i * unit)
}
const numberAt = ({ cells }: Row, index: number) => cells[index] as number | null

/** Where things stand along the day, which runs as the page is read. */
interface Along {
  width: number
  isFromRight: boolean
  /** Of a place counted from where the scale stands. */
  at(place: number): number
  /** Of the middle of a row. */
  of(index: number): number
}

interface PlotProps {
  rows: readonly Row[]
  label: string
  draw(along: Along): ReactNode
}
/** A day with its hours below, at the size there is. */
function Plot({ rows, label, draw }: PlotProps) {
  const [box, width] = useWidth<HTMLDivElement>()
  const isFromRight = document.documentElement.dir === 'rtl'
  const at = (place: number) => (isFromRight ? width - place : place)
  const of = (index: number) => at(START + ((index + 0.5) * (width - START)) / rows.length)
  const every = Math.ceil(rows.length / Math.max(1, Math.floor((width - START) / LABEL)))
  return (
    <div className="plot" ref={box}>
      {width > START && (
        <svg className="chart" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
          {draw({ width, isFromRight, at, of })}
          {rows.map(
            ({ key, cells }, index) =>
              index % every === 0 && (
                <text key={key} className="chart-text" x={of(index)} y={HEIGHT - 10} textAnchor="middle">
                  {String(cells[0])}
                </text>
              ),
          )}
        </svg>
      )}
    </div>
  )
}

interface AxisProps {
  ticks: readonly number[]
  along: Along
  text(value: number): string
}
function Axis({ ticks, along, text }: AxisProps) {
  const top = ticks.at(-1)!
  return (
    <>
      {ticks.map((tick) => {
        const y = BASE - (tick / top) * (BASE - 10)
        return (
          <g key={tick}>
            <path className="chart-grid" d={`M${along.at(START)} ${y}H${along.at(along.width)}`} />
            <text
              className="chart-text"
              x={along.at(START - 6)}
              y={y + 4}
              textAnchor={along.isFromRight ? 'start' : 'end'}
            >
              {text(tick)}
            </text>
          </g>
        )
      })}
    </>
  )
}

interface ChartProps {
  data: ReportData
  label: string
}

/** Half of people waited up to the line, nine of ten up to the edge of the band. Columns: hour, P50, P90, and the P50 before. */
export function WaitBand({ data, label }: ChartProps) {
  const { rows } = data
  const ticks = steps(Math.max(60, ...rows.map((row) => numberAt(row, 2) ?? 0)), [60, 300, 600, 900, 1800, 3600])
  const top = ticks.at(-1)!
  const y = (seconds: number) => BASE - (seconds / top) * (BASE - 10)
  const draw = (along: Along) => {
    const points = (index: number) =>
      rows.flatMap((row, i) => {
        const value = numberAt(row, index)
        return value === null ? [] : [`${along.of(i).toFixed(1)} ${y(value).toFixed(1)}`]
      })
    const upper = points(2)
    const lower = points(1)
    const before = data.columns.length > 3 ? points(3) : []
    return (
      <>
        <Axis
          ticks={ticks}
          along={along}
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
              cx={along.of(index)}
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
      </>
    )
  }
  return <Plot rows={rows} label={label} draw={draw} />
}

const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
/** Who came as a bar, who of them was served as the full part of it. Columns: hour, taken, served. */
export function Volume({ data, label }: ChartProps) {
  const { rows } = data
  const ticks = steps(Math.max(1, ...rows.map((row) => numberAt(row, 1) ?? 0)), COUNTS)
  const y = (value: number) => BASE - (value / ticks.at(-1)!) * (BASE - 10)
  const draw = (along: Along) => (
    <>
      <Axis ticks={ticks} along={along} text={String} />
      {rows.map((row, index) => {
        const [taken, served] = [numberAt(row, 1) ?? 0, numberAt(row, 2) ?? 0]
        const width = Math.max(1, (along.width - START) / rows.length - 6)
        const x = along.of(index) - width / 2
        return (
          <g key={row.key} data-row={row.key} data-taken={taken} data-served={served}>
            <title>{`${String(row.cells[0])}: ${taken} / ${served}`}</title>
            <rect className="chart-taken" x={x} width={width} y={y(taken)} height={BASE - y(taken)} />
            <rect className="chart-served" x={x} width={width} y={y(served)} height={BASE - y(served)} />
          </g>
        )
      })}
    </>
  )
  return (
    <>
      <Plot rows={rows} label={label} draw={draw} />
      <p className="chart-key">
        <span data-key="taken">{data.columns[1]!.label}</span> <span data-key="served">{data.columns[2]!.label}</span>
      </p>
    </>
  )
}

/** Needed as bars, planned as a line of steps. Columns: half hour, needed, planned. */
export function NeedAndPlan({ data, label }: ChartProps) {
  const { rows } = data
  const ticks = steps(
    Math.max(1, ...rows.flatMap((row) => [numberAt(row, 1) ?? 0, numberAt(row, 2) ?? 0])),
    [1, 2, 5, 10, 20, 50, 100],
  )
  const y = (value: number) => BASE - (value / ticks.at(-1)!) * (BASE - 10)
  const draw = (along: Along) => {
    const wide = (along.width - START) / rows.length
    const plan = rows
      .map(
        (row, i) =>
          `${i === 0 ? `M${along.at(START)} ` : 'V'}${y(numberAt(row, 2) ?? 0)}H${along.at(START + (i + 1) * wide)}`,
      )
      .join('')
    return (
      <>
        <Axis ticks={ticks} along={along} text={String} />
        {rows.map((row, index) => {
          const needed = numberAt(row, 1) ?? 0
          const planned = numberAt(row, 2) ?? 0
          const width = Math.max(1, wide - 3)
          return (
            <rect
              key={row.key}
              className="chart-bar"
              x={along.of(index) - width / 2}
              width={width}
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
      </>
    )
  }
  return <Plot rows={rows} label={label} draw={draw} />
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
