import { useCallback, useEffect, useState, type ChangeEvent } from 'react'
import {
  importsCreate,
  importsGet,
  importsList,
  importsRows,
  importsRun,
  importsUndo,
  type ImportsGet,
  type ImportsRows,
} from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { problemText } from '../shell/shell.ts'
import type { AreaProps } from './kit/resource.tsx'
import { valueLabel } from './kit/words.ts'
import { base64, saveFile } from './files.ts'

const KINDS = ['customers', 'services', 'sites', 'users', 'appointments'] as const
const BUSY = new Set(['checking', 'running', 'undoing'])
const AGAIN_MS = 500

/** A table is brought, tried without effect, looked at, run, and can be taken back. */
export function Imports({ api }: AreaProps) {
  const [kind, setKind] = useState<(typeof KINDS)[number]>('customers')
  const [list, setList] = useState<ImportsGet[]>([])
  const [shown, setShown] = useState<ImportsGet>()
  const [rows, setRows] = useState<ImportsRows['results']>([])
  const [problem, setProblem] = useState('')
  const fail = (error: unknown) => setProblem(problemText(error))
  const load = useCallback(() => void api.run(importsList, {}).then(({ results }) => setList(results), fail), [api])
  useEffect(load, [load])
  const show = useCallback(
    async (id: number) => {
      const [next, page] = await Promise.all([api.run(importsGet, { id }), api.run(importsRows, { id, limit: 200 })])
      setShown(next)
      setRows(page.results)
      setProblem('')
    },
    [api],
  )
  useEffect(() => {
    if (!shown || !BUSY.has(shown.status)) return
    const timer = setTimeout(() => void show(shown.id).then(load, fail), AGAIN_MS)
    return () => clearTimeout(timer)
  }, [shown, show, load])

  async function bring({ target }: ChangeEvent<HTMLInputElement>) {
    const file = target.files?.[0]
    if (!file) return
    const isSheet = /\.xlsx$/i.test(file.name)
    try {
      const content = base64(await file.arrayBuffer())
      const made = await api.run(importsCreate, { kind, format: isSheet ? 'xlsx' : 'csv', content })
      load()
      await show(made.id)
    } catch (error) {
      fail(error)
    }
    target.value = ''
  }
  const faults = rows.filter(({ errors }) => errors.length > 0)
  return (
    <>
      <h1>{t('admin.imports')}</h1>
      <p className="muted about">{t('admin.imports.about')}</p>
      <p className="row">
        <select
          aria-label={t('admin.field.kind')}
          value={kind}
          onChange={(e) => setKind(e.target.value as typeof kind)}
        >
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {valueLabel('import', each)}
            </option>
          ))}
        </select>
        <label className="button" data-kind="primary">
          {t('admin.choose_file')}
          <input type="file" accept=".csv,.xlsx" className="visually-hidden" onChange={(event) => void bring(event)} />
        </label>
      </p>
      <p className="problem" role="alert">
        {problem}
      </p>
      {shown && (
        <section className="section" data-import={shown.status}>
          <h2>
            {valueLabel('import', shown.kind)} · {valueLabel('import_status', shown.status)}
          </h2>
          <p role="status">
            {t('admin.import_rows', {
              valid: shown.rows.valid + shown.rows.new,
              invalid: shown.rows.invalid,
              done: shown.rows.done,
            })}
          </p>
          <p className="row">
            {shown.status === 'checked' && (
              <button
                type="button"
                className="button"
                data-kind="primary"
                data-run={shown.id}
                disabled={shown.rows.valid === 0}
                onClick={() => void api.run(importsRun, { id: shown.id }).then(setShown, fail)}
              >
                {t('admin.import_run', { count: shown.rows.valid })}
              </button>
            )}
            {shown.status === 'done' && (
              <button
                type="button"
                className="button"
                data-undo-import={shown.id}
                onClick={() => void api.run(importsUndo, { id: shown.id }).then(setShown, fail)}
              >
                {t('admin.import_undo')}
              </button>
            )}
            {faults.length > 0 && (
              <button
                type="button"
                className="button"
                onClick={() =>
                  saveFile(
                    'errors.csv',
                    'text/csv',
                    faults
                      .flatMap(({ line, errors }) => errors.map((each) => [line, each.path, each.message]))
                      .map((cells) => cells.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(','))
                      .join('\n'),
                  )
                }
              >
                {t('admin.import_faults')}
              </button>
            )}
          </p>
          <ul className="changes">
            {rows.slice(0, 50).map(({ line, status, errors, input }) => (
              <li key={line} data-line={line}>
                <Code>{String(line)}</Code> {valueLabel('import_row', status)}{' '}
                <bdi>{Object.values(input).join(' · ')}</bdi>{' '}
                {errors.map(({ path, message }) => (
                  <span className="fault" key={path}>
                    <Code>{path}</Code> {message}
                  </span>
                ))}
              </li>
            ))}
          </ul>
        </section>
      )}
      <h2>{t('admin.imports_before')}</h2>
      {list.length === 0 && <p className="empty">{t('admin.nothing_yet')}</p>}
      <ul className="changes">
        {list.map((each) => (
          <li key={each.id}>
            <button type="button" className="button" data-kind="quiet" onClick={() => void show(each.id).catch(fail)}>
              {valueLabel('import', each.kind)} · {valueLabel('import_status', each.status)} ·{' '}
              {t('admin.rows_count', { count: each.rows_total })}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
