import { useCallback, useEffect, useState, type ComponentType } from 'react'
import { Problem } from '../../../../data/api.ts'
import type { Schema } from '../../../../data/schema.ts'
import { t } from '../../../../ui/messages.ts'
import { Icon } from '../../../../ui/parts/react.ts'
import { offerUndo } from '../../../../ui/toast.ts'
import type { AnyOperation, Api, Row } from './api.ts'
import { Cell } from './cell.tsx'
import { Form } from './form.tsx'
import type { Kind, Values } from './model.ts'
import { forgetOptions } from './options.ts'
import { fieldLabel, words } from './words.ts'

export interface AreaProps {
  api: Api
  /** What stands in the address behind the page's own name. */
  rest: readonly string[]
  /** Goes to an address below the page. */
  go(rest: string): void
  /** Address of the same, for links. */
  href(rest: string): string
}
/** A noun of the configuration: what its list shows and how it is filled in; the rest follows from its operations. */
export interface Resource {
  noun: string
  list: AnyOperation
  get?: AnyOperation
  create?: AnyOperation
  update?: AnyOperation
  remove?: AnyOperation
  createInput?: Schema
  updateInput?: Schema
  columns: readonly string[]
  query?: object
  canSearch?: boolean
  hidden?: readonly string[]
  kinds?: Readonly<Record<string, Kind>>
  /** Values of a new one that the reader need not choose. */
  given?: (api: Api) => Values
  /** Cannot be made again from what was there: it is asked for once more. */
  isFinal?: boolean
  /** What follows from the answer to a creation, such as a secret that is shown once. */
  Made?: ComponentType<{ made: Row }>
  /** Below the form of one. */
  Extra?: ComponentType<{ api: Api; row: Row; reload(): void }>
  /** Above the list. */
  Head?: ComponentType<{ api: Api; reload(): void }>
  /** With what is being filled in. */
  beside?: ComponentType<{ api: Api; values: Values }>
  /** What the list shows of a row. */
  shown?: (row: Row) => Row
  refuse?: (values: Values) => Map<string, string>
}

export function resourcePage(resource: Resource): ComponentType<AreaProps> {
  return function ResourcePage(props: AreaProps) {
    const [which] = props.rest
    if (which === 'new') return <Create resource={resource} {...props} />
    if (which) return <Detail key={which} resource={resource} {...props} />
    return <List resource={resource} {...props} />
  }
}
const same = (row: Row) => row
const titleOf = (noun: string) => words(`admin.${noun}`)
/** What a thing is called. */
const nameOf = (row: Row) =>
  String(row['name'] ?? row['title'] ?? row['email'] ?? row['url'] ?? row['event'] ?? `#${row.id}`)

function List({ resource, api, go, href }: AreaProps & { resource: Resource }) {
  const { noun, columns, Head } = resource
  const [rows, setRows] = useState<Row[]>()
  const [next, setNext] = useState<string | null>(null)
  const [q, setQ] = useState('')
  const [problem, setProblem] = useState('')
  const load = useCallback(
    async (cursor?: string) => {
      try {
        const page = (await api.run(resource.list, {
          ...resource.query,
          ...(q && { q }),
          ...(cursor && { cursor }),
        })) as { results: Row[]; next?: string | null }
        setRows((before) => (cursor ? [...(before ?? []), ...page.results] : page.results))
        setNext(page.next ?? null)
        setProblem('')
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        setProblem(error.status ? error.message : t('console.not_sent'))
      }
    },
    [api, q, resource],
  )
  useEffect(() => {
    const timer = setTimeout(() => void load(), q ? 200 : 0)
    return () => clearTimeout(timer)
  }, [load, q])
  const hint = words(`admin.${noun}.about`)
  return (
    <>
      <header className="page-head">
        <h1>{titleOf(noun)}</h1>
        {resource.create && resource.createInput && (
          <a className="button" data-kind="primary" href={href('new')} onClick={follow(go, 'new')} data-new={noun}>
            {words(`admin.${noun}.new`, 'admin.new')}
          </a>
        )}
      </header>
      <p className="muted about">{hint}</p>
      {Head && <Head api={api} reload={() => void load()} />}
      {resource.canSearch && (
        <label className="find">
          <span className="visually-hidden">{t('admin.search')}</span>
          <Icon name="search" />
          <input type="search" value={q} placeholder={t('admin.search')} onChange={(e) => setQ(e.target.value)} />
        </label>
      )}
      <p className="problem" role="alert">
        {problem}
      </p>
      {rows === undefined && !problem && <p role="status">{t('ui.loading')}</p>}
      {rows?.length === 0 && (
        <p className="empty">{q ? t('admin.not_found') : words(`admin.${noun}.empty`, 'admin.nothing_yet')}</p>
      )}
      {rows && rows.length > 0 && (
        <div className="table-box" tabIndex={0} role="region" aria-label={titleOf(noun)}>
          <table className="table">
            <thead>
              <tr>
                {columns.map((name) => (
                  <th key={name} scope="col">
                    {fieldLabel(name, noun)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(resource.shown ?? same).map((row) => (
                <tr key={row.id} data-row={row.id}>
                  {columns.map((name, i) => {
                    const cell = <Cell api={api} row={row} name={name} />
                    return i === 0 ? (
                      <th key={name} scope="row">
                        {resource.update || resource.Extra || resource.remove ? (
                          <a href={href(String(row.id))} onClick={follow(go, String(row.id))}>
                            {cell}
                          </a>
                        ) : (
                          cell
                        )}
                      </th>
                    ) : (
                      <td key={name}>{cell}</td>
                    )
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next && (
        <button type="button" className="button" onClick={() => void load(next)}>
          {t('admin.more')}
        </button>
      )}
    </>
  )
}
/** Stays in the page; another tab or window is the browser's. */
export const follow =
  (go: (rest: string) => void, rest: string) =>
  (event: { preventDefault(): void; ctrlKey: boolean; metaKey: boolean; shiftKey: boolean }): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    go(rest)
  }

function Create({ resource, api, go, href }: AreaProps & { resource: Resource }) {
  const { noun, create, createInput, Made } = resource
  const [made, setMade] = useState<Row>()
  return (
    <>
      <Back noun={noun} go={go} href={href} />
      <h1>{words(`admin.${noun}.new`, 'admin.new')}</h1>
      {made && Made ? (
        <Made made={made} />
      ) : (
        <Form
          api={api}
          noun={noun}
          schema={createInput!}
          {...(resource.given && { given: resource.given(api) })}
          {...(resource.hidden && { hidden: resource.hidden })}
          {...(resource.kinds && { kinds: resource.kinds })}
          {...(resource.beside && { beside: resource.beside })}
          {...(resource.refuse && { refuse: resource.refuse })}
          send={async (values) => {
            const answer = (await api.run(create!, values)) as Row
            forgetOptions()
            if (Made) setMade(answer)
            else go(resource.update ? String(answer.id) : '')
          }}
        />
      )}
    </>
  )
}

function Detail({ resource, api, rest, go, href }: AreaProps & { resource: Resource }) {
  const { noun, get, update, updateInput, remove, Extra } = resource
  const id = Number(rest[0])
  const [row, setRow] = useState<Row>()
  const [etag, setEtag] = useState('')
  const [problem, setProblem] = useState('')
  const [asks, setAsks] = useState(false)
  const read = useCallback(async () => {
    if (get) return (await api.run(get, { id }, { onEtag: setEtag })) as Row
    const found = (await api.all<Row>(resource.list, resource.query)).find((each) => each.id === id)
    if (!found) throw new Problem(404, { title: t('admin.not_found') })
    return found
  }, [api, get, id, resource])
  const load = useCallback(() => {
    const fail = (error: unknown) =>
      setProblem(error instanceof Problem && error.status ? error.message : t('console.not_sent'))
    void read().then(setRow, fail)
  }, [read])
  useEffect(load, [load])

  async function drop() {
    try {
      await api.run(remove!, { id })
      forgetOptions()
      go('')
      if (row && resource.create && !resource.isFinal)
        offerUndo({
          text: t('admin.removed', { name: nameOf(row) }),
          seconds: 8,
          onUndo: () => {
            const known = resource.createInput?.properties ?? {}
            const again = Object.fromEntries(Object.entries(row).filter(([name]) => name in known))
            void api.run(resource.create!, again).then((back) => {
              forgetOptions()
              go(String((back as Row).id))
            })
          },
        })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      setProblem(error.status ? error.message : t('console.not_sent'))
    }
  }
  if (!row)
    return (
      <>
        <Back noun={noun} go={go} href={href} />
        <p role="status">{problem || t('ui.loading')}</p>
      </>
    )
  return (
    <>
      <Back noun={noun} go={go} href={href} />
      <header className="page-head">
        <h1>{nameOf(row)}</h1>
        {remove && (
          <button
            type="button"
            className="button"
            data-kind="quiet"
            data-remove={id}
            onClick={() => (resource.isFinal && !asks ? setAsks(true) : void drop())}
          >
            {words(`admin.${noun}.remove`, 'admin.remove')}
          </button>
        )}
      </header>
      {asks && (
        <p className="banner" role="alert">
          {words(`admin.${noun}.sure`, 'admin.sure')}{' '}
          <button type="button" className="button" data-sure onClick={() => void drop()}>
            {words(`admin.${noun}.remove`, 'admin.remove')}
          </button>{' '}
          <button type="button" className="button" data-kind="quiet" onClick={() => setAsks(false)}>
            {t('admin.keep')}
          </button>
        </p>
      )}
      <p className="problem" role="alert">
        {problem}
      </p>
      {update && updateInput && (
        <Form
          api={api}
          noun={noun}
          schema={updateInput}
          row={row}
          {...(resource.hidden && { hidden: resource.hidden })}
          {...(resource.kinds && { kinds: resource.kinds })}
          {...(resource.beside && { beside: resource.beside })}
          {...(resource.refuse && { refuse: resource.refuse })}
          {...(get && { reread: read })}
          send={async (values) => {
            await api.run(update, { id, ...values }, etag ? { ifMatch: etag } : {})
            forgetOptions()
            load()
          }}
        />
      )}
      {Extra && <Extra api={api} row={row} reload={load} />}
    </>
  )
}

const Back = ({ noun, go, href }: { noun: string; go(rest: string): void; href(rest: string): string }) => (
  <p>
    <a href={href('')} onClick={follow(go, '')}>
      <Icon name="back" /> {titleOf(noun)}
    </a>
  </p>
)
