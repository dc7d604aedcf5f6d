import { useCallback, useEffect, useState } from 'react'
import { apiKeysList, requestsList, type ApiKeysList, type RequestsList } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code, Icon } from '../../../ui/parts/react.ts'
import { Moment } from '../admin/kit/cell.tsx'
import type { AreaProps } from '../admin/kit/resource.tsx'
import { fieldLabel } from '../admin/kit/words.ts'
import { problemText } from '../shell/shell.ts'

type Entry = RequestsList['results'][number]
type Key = ApiKeysList['results'][number]
const OUTCOMES = ['succeeded', 'refused', 'failed'] as const
const COLUMNS = ['at', 'status', 'request', 'duration', 'key', 'request_id'] as const

/** What programs asked with the organisation's keys: one is found by the id that its answer carried. */
export function Requests({ api }: AreaProps) {
  const [rows, setRows] = useState<Entry[]>()
  const [next, setNext] = useState<string | null>(null)
  const [keys, setKeys] = useState<ReadonlyMap<number, Key>>(new Map())
  const [outcome, setOutcome] = useState('')
  const [id, setId] = useState('')
  const [problem, setProblem] = useState('')
  const load = useCallback(
    (cursor?: string) => {
      const wanted = {
        ...(outcome && { outcome: outcome as (typeof OUTCOMES)[number] }),
        ...(id && { request_id: id }),
        ...(cursor && { cursor }),
      }
      void api.run(requestsList, wanted).then(
        (page) => {
          setRows((before) => (cursor ? [...(before ?? []), ...page.results] : page.results))
          setNext(page.next)
          setProblem('')
        },
        (error: unknown) => setProblem(problemText(error)),
      )
    },
    [api, outcome, id],
  )
  useEffect(() => {
    const timer = setTimeout(load, id ? 300 : 0)
    return () => clearTimeout(timer)
  }, [load, id])
  useEffect(
    () =>
      void api.all<Key>(apiKeysList).then(
        (all) => setKeys(new Map(all.map((key) => [key.id, key]))),
        () => {},
      ),
    [api],
  )
  return (
    <>
      <header className="page-head">
        <h1>{t('developer.requests')}</h1>
        <button type="button" className="button" data-again="" onClick={() => load()}>
          {t('developer.look_again')}
        </button>
      </header>
      <p className="muted about">{t('developer.requests_about')}</p>
      <div className="row ends">
        <label className="field only">
          {t('developer.request_id')}
          <input type="search" dir="ltr" value={id} onChange={(e) => setId(e.target.value.trim())} />
        </label>
        <label className="field only">
          {t('developer.outcome')}
          <select value={outcome} onChange={(e) => setOutcome(e.target.value)}>
            <option value="">{t('developer.outcome_all')}</option>
            {OUTCOMES.map((each) => (
              <option key={each} value={each}>
                {t(`developer.outcome_${each}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p className="problem" role="alert">
        {problem}
      </p>
      {rows?.length === 0 && (
        <p className="empty">{t(id || outcome ? 'developer.no_such_requests' : 'developer.no_requests')}</p>
      )}
      {rows !== undefined && rows.length > 0 && (
        <div className="table-box" tabIndex={0} role="region" aria-label={t('developer.requests')}>
          <table className="table">
            <thead>
              <tr>
                {COLUMNS.map((name) => (
                  <th key={name} scope="col">
                    {name === 'at' || name === 'status' ? fieldLabel(name) : t(`developer.column_${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.id} data-request={row.request_id}>
                  <td>
                    <Moment at={row.at} zone={api.timeZone} />
                  </td>
                  <td className={row.status < 400 ? 'saved' : 'fault'}>
                    <Icon name={row.status < 400 ? 'check' : 'alert'} /> <Code>{String(row.status)}</Code>
                  </td>
                  <th scope="row">
                    <Code>{`${row.method} ${row.route}`}</Code>
                    <div className="muted">
                      <Code>{row.operation}</Code>
                    </div>
                  </th>
                  <td>
                    <Code>{`${row.duration_ms} ms`}</Code>
                  </td>
                  <td>
                    <bdi>{keys.get(row.api_key_id)?.name ?? `#${row.api_key_id}`}</bdi>
                  </td>
                  <td>
                    <Code>{row.request_id}</Code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next && (
        <button type="button" className="button" onClick={() => load(next)}>
          {t('admin.more')}
        </button>
      )}
    </>
  )
}
