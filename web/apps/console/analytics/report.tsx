import type { ReactNode } from 'react'
import { stopwatch } from '../../../ui/format.ts'
import { currentLanguage, t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { languageTag } from '../../../../shared/format.ts'

export type Kind = 'text' | 'count' | 'seconds' | 'share' | 'rating'
export interface Column {
  label: string
  kind: Kind
}
export type Cell = string | number | null
export interface Row {
  key: string
  cells: readonly Cell[]
}
export interface ReportData {
  columns: readonly Column[]
  rows: readonly Row[]
}

/** A figure as people read it. Nothing to tell of is a dash. */
export function Value({ value, kind }: { value: Cell; kind: Kind }): ReactNode {
  if (value === null) return '–'
  if (typeof value === 'string') return value
  switch (kind) {
    case 'seconds':
      return <Code>{stopwatch(value)}</Code>
    case 'share':
      return number(value, { style: 'percent', maximumFractionDigits: 1 })
    case 'rating':
      return number(value, { maximumFractionDigits: 2 })
    default:
      return number(value)
  }
}
const number = (value: number, options?: Intl.NumberFormatOptions) =>
  new Intl.NumberFormat(languageTag(currentLanguage()), options).format(value)
export const shareText = (value: number | null) =>
  value === null ? '–' : number(value, { style: 'percent', maximumFractionDigits: 0 })

interface Props {
  id: string
  title: string
  /** What it says, in a sentence. */
  finding: string
  data: ReportData
  isTable: boolean
  onTable(isTable: boolean): void
  /** What pressing a row narrows the page to. */
  onPick?: ((key: string) => void) | undefined
  /** Drawn from the same rows; a table where absent. */
  chart?: ReactNode
}

/** One report: the finding, the chart or the table of the very same rows, and the rows as a file. */
export function Report({ id, title, finding, data, isTable, onTable, onPick, chart }: Props) {
  return (
    <section className="report" aria-labelledby={`${id}-title`} data-report={id}>
      <header>
        <div>
          <h2 id={`${id}-title`}>{title}</h2>
          <p className="finding">{finding}</p>
        </div>
        <span className="row">
          {chart !== undefined && (
            <button
              type="button"
              className="button"
              data-kind="quiet"
              aria-pressed={isTable}
              data-table={id}
              onClick={() => onTable(!isTable)}
            >
              {t('analytics.as_table')}
            </button>
          )}
          <button
            type="button"
            className="button"
            data-kind="quiet"
            data-csv={id}
            onClick={() => download(`${id}.csv`, csvOf(data))}
          >
            CSV
          </button>
        </span>
      </header>
      {data.rows.length === 0 ? (
        <p className="muted">{t('analytics.nothing')}</p>
      ) : chart !== undefined && !isTable ? (
        chart
      ) : (
        <Table data={data} onPick={onPick} label={title} />
      )}
    </section>
  )
}

function Table({ data, onPick, label }: { data: ReportData; label: string; onPick: Props['onPick'] }) {
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={label}>
      <table>
        <thead>
          <tr>
            {data.columns.map(({ label: name, kind }) => (
              <th key={name} scope="col" data-kind={kind}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.rows.map(({ key, cells }) => (
            <tr key={key} data-row={key}>
              {cells.map((value, index) => {
                const { kind } = data.columns[index]!
                const shown = <Value value={value} kind={kind} />
                if (index === 0)
                  return (
                    <th key={index} scope="row" data-value={value}>
                      {onPick ? (
                        <button type="button" className="pick" onClick={() => onPick(key)}>
                          {shown}
                        </button>
                      ) : (
                        shown
                      )}
                    </th>
                  )
                return (
                  <td key={index} data-kind={kind} data-value={value ?? ''}>
                    {shown}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Rows as RFC 4180 text: seconds and shares as numbers, so that a sheet can reckon with them. */
function csvOf({ columns, rows }: ReportData): string {
  // A sheet would run what begins like a formula.
  const cell = (value: Cell) => {
    const text = typeof value === 'string' ? value.replace(/^[=+\-@\t]/, "'$&") : String(value ?? '')
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns.map(({ label }) => label), ...rows.map(({ cells }) => cells)]
    .map((line) => line.map(cell).join(','))
    .join('\r\n')
    .concat('\r\n')
}

function download(name: string, text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([`\ufeff${text}`], { type: 'text/csv;charset=utf-8' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
