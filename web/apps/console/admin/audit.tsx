import { useCallback, useEffect, useState } from 'react'
import { auditExport, auditList, type AuditList } from '../../../data/operations.ts'
import { t } from '../../../ui/messages.ts'
import { Code } from '../../../ui/parts/react.ts'
import { problemText } from '../shell/shell.ts'
import { Moment } from './kit/cell.tsx'
import { useOptions } from './kit/options.ts'
import type { AreaProps } from './kit/resource.tsx'
import { fieldLabel, valueLabel } from './kit/words.ts'
import { saveFile } from './files.ts'

type Entry = AuditList['results'][number]

/** Who changed what, from what to what. */
export function Audit({ api }: AreaProps) {
  const [rows, setRows] = useState<Entry[]>([])
  const [next, setNext] = useState<string | null>(null)
  const [operation, setOperation] = useState('')
  const [problem, setProblem] = useState('')
  const load = useCallback(
    (cursor?: string) =>
      void api.run(auditList, { ...(operation && { operation }), ...(cursor && { cursor }) }).then(
        (page) => {
          setRows((before) => (cursor ? [...before, ...page.results] : page.results))
          setNext(page.next)
          setProblem('')
        },
        (error: unknown) => setProblem(problemText(error)),
      ),
    [api, operation],
  )
  useEffect(() => {
    const timer = setTimeout(load, operation ? 300 : 0)
    return () => clearTimeout(timer)
  }, [load, operation])
  return (
    <>
      <header className="page-head">
        <h1>{t('admin.audit')}</h1>
        <button
          type="button"
          className="button"
          onClick={() =>
            void wholeTrail(api).then(
              (text) => saveFile('audit.ndjson', 'application/x-ndjson', text),
              (error: unknown) => setProblem(problemText(error)),
            )
          }
        >
          {t('admin.export')}
        </button>
      </header>
      <p className="muted about">{t('admin.audit.about')}</p>
      <label className="find">
        <span className="visually-hidden">{t('admin.field.operation')}</span>
        <input
          type="search"
          dir="ltr"
          value={operation}
          placeholder={t('admin.field.operation')}
          onChange={(e) => setOperation(e.target.value.trim())}
        />
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
      <div className="table-box" tabIndex={0} role="region" aria-label={t('admin.audit')}>
        <table className="table">
          <thead>
            <tr>
              {(['at', 'who', 'operation', 'changes'] as const).map((name) => (
                <th key={name} scope="col">
                  {fieldLabel(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((entry) => (
              <tr key={entry.seq} data-audit={entry.operation}>
                <td>
                  <Moment at={entry.at} zone={api.timeZone} />
                </td>
                <td>
                  <Who api={api} entry={entry} />
                </td>
                <th scope="row">
                  <Code>{entry.operation}</Code> <Named api={api} principal={entry.subject} />
                </th>
                <td>
                  <Changes details={entry.details} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {next && (
        <button type="button" className="button" onClick={() => load(next)}>
          {t('admin.more')}
        </button>
      )}
    </>
  )
}

/** JSON lines; an answer has so many of them and no more. */
async function wholeTrail(api: AreaProps['api']): Promise<string> {
  const parts: string[] = []
  for (let after = 0; ;) {
    const part: string | null = await api.run(auditExport, { after })
    if (!part) return parts.join('')
    parts.push(part)
    const last = part.trimEnd().split('\n').at(-1)!
    after = (JSON.parse(last) as Entry).seq
  }
}

const Who = ({ api, entry }: { api: AreaProps['api']; entry: Entry }) => (
  <>
    {entry.principal !== 'anonymous' && <Named api={api} principal={entry.principal} />}{' '}
    <span className="muted">{valueLabel('role', entry.role)}</span>
  </>
)

/** A person by name, all else by what it is. */
function Named({ api, principal }: { api: AreaProps['api']; principal: string }) {
  const users = useOptions(api, 'user')
  const id = /^user:(\d+)$/.exec(principal)?.[1]
  const name = users?.find((each) => String(each.id) === id)?.label
  return name ? <bdi>{name}</bdi> : <Code>{principal}</Code>
}

/** What no form has is called as programs call it. */
function Name({ of }: { of: string }) {
  const label = fieldLabel(of)
  return label === `admin.field.${of}` ? <Code>{of}</Code> : label
}

/** A value as it was given; what has parts is set apart from words. */
function Given({ value }: { value: unknown }) {
  if (value === null || value === undefined) return '—'
  if (typeof value === 'object') return <code className="raw">{JSON.stringify(value)}</code>
  return <bdi>{typeof value === 'boolean' ? t(value ? 'admin.yes' : 'admin.no_word') : String(value as string)}</bdi>
}
/** Before and after of each field; what was given where a change tells no rows. */
function Changes({ details }: { details: Entry['details'] }) {
  const changes = Object.entries((details['changes'] ?? {}) as Record<string, unknown>)
  const given = Object.entries((details['given'] ?? {}) as Record<string, unknown>)
  return (
    <ul className="changes">
      {changes.map(([name, value]) => (
        <li key={name}>
          <Name of={name} />:{' '}
          {Array.isArray(value) ? (
            <>
              {value[0] !== null && (
                <del>
                  <Given value={value[0]} />
                </del>
              )}{' '}
              <ins>
                <Given value={value[1]} />
              </ins>
            </>
          ) : (
            <Given value={value} />
          )}
        </li>
      ))}
      {given.map(([name, value]) => (
        <li key={name}>
          <Name of={name} />: <Given value={value} />
        </li>
      ))}
    </ul>
  )
}
