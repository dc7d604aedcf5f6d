import type { ReactNode } from 'react'
import { sheetText } from '../../../../shared/sheet-text.ts'
import { t } from '../../../ui/messages.ts'
import { Value, type Cell, type ReportData } from './figures.tsx'
import type { Told } from './views.ts'

interface Props {
  id: string
  title: string
  /** What it says, and its rows; undefined until they have come. */
  told: Told | undefined
  problem: string
  /** Newer figures are on their way. */
  isAwaited: boolean
  isTable: boolean
  onTable(isTable: boolean): void
  /** What pressing a row narrows the page to. */
  onPick?: ((key: string) => void) | undefined
  /** Drawn from the same rows; a table where absent. */
  chart?: ((told: Told) => ReactNode) | undefined
  /** What the chart is about, chosen above it. */
  choice?: ReactNode
}

/** One report: the finding, the chart or the table of the very same rows, and the rows as a file. */
export function Report({ id, title, told, problem, isAwaited, isTable, onTable, onPick, chart, choice }: Props) {
  const hasRows = told !== undefined && told.data.rows.length > 0
  return (
    <section className="report" aria-labelledby={`${id}-title`} aria-busy={isAwaited} data-report={id}>
      <header>
        <div>
          <h2 id={`${id}-title`}>{title}</h2>
          <p className="finding">{problem || (told ? told.finding : t('ui.loading'))}</p>
        </div>
        {hasRows && (
          <span className="row">
            {chart && (
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
              onClick={() => download(`${id}.csv`, csvOf(told.data))}
            >
              CSV
            </button>
          </span>
        )}
      </header>
      {choice}
      {hasRows && (chart && !isTable ? chart(told) : <Table data={told.data} onPick={onPick} label={title} />)}
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
    const text = typeof value === 'string' ? sheetText(value) : String(value ?? '')
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
