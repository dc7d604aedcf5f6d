import { useEffect, useId, useMemo, useRef, useState, type ComponentType, type FormEvent, type ReactNode } from 'react'
import { Problem } from '../../../../data/api.ts'
import type { Schema } from '../../../../data/schema.ts'
import { t, type MessageKey } from '../../../../ui/messages.ts'
import { Icon } from '../../../../ui/parts/react.ts'
import type { Api } from './api.ts'
import { keepDraft, keptDraft } from './draft.ts'
import { FieldView } from './fields.tsx'
import { FormState, idOf } from './form-state.ts'
import { cleaned, faultsOf, fieldsOf, initialValues, same, withValue, type Kind, type Values } from './model.ts'
import { fieldLabel } from './words.ts'

export interface FormProps {
  api: Api
  /** Names the form: its draft, its texts. */
  noun: string
  schema: Schema
  /** The thing as it is; absent for a new one. */
  row?: Values
  /** Values of a new thing that are not asked for. */
  given?: Values
  /** Values of a new thing that are known already and may be changed; they win over a draft. */
  prefilled?: Values
  hidden?: readonly string[]
  kinds?: Readonly<Record<string, Kind>>
  submitLabel?: string
  /** Beside the button that sends. */
  actions?: ReactNode
  /** Above the button, with what is being filled in. */
  beside?: ComponentType<{ api: Api; values: Values }>
  /** Why what is filled in cannot be sent, by path; the server would say the same. */
  refuse?: (values: Values) => Map<string, string>
  /** Sends what was filled in: of a thing that is there, what was changed. */
  send(values: Values): Promise<unknown>
  /** Reads the thing anew after somebody else changed it. */
  reread?: () => Promise<Values>
}

/**
 * A form that an operation's input describes. Refusals stand beside their fields and, as links, above the form; nothing
 * typed is lost by a refusal, by going elsewhere, or by somebody else's change.
 */
export function Form(props: FormProps) {
  const { api, noun, schema, row, given, prefilled = {}, hidden = [], kinds = {}, beside: Beside, send, reread } = props
  const id = useId().replaceAll(/[^\w]/g, '')
  const key = `${api.tenant}.${noun}.${String(row?.['id'] ?? 'new')}`
  const fields = useMemo(
    () => fieldsOf(schema, '', ['id', ...hidden, ...Object.keys(given ?? {})]),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- declarations do not change
    [schema],
  )
  const [base, setBase] = useState<Values>(() => ({ ...(row ?? initialValues(fields)), ...prefilled }))
  const [changes, setChanges] = useState<Values>(() =>
    Object.fromEntries(Object.entries(keptDraft(key) ?? {}).filter(([name]) => !(name in prefilled))),
  )
  const [isRestored, setRestored] = useState(() => Object.keys(changes).length > 0)
  const [faults, setFaults] = useState<ReadonlyMap<string, string>>(new Map())
  const [others, setOthers] = useState<ReadonlyMap<string, unknown>>(new Map())
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [isSaved, setSaved] = useState(false)
  const summary = useRef<HTMLDivElement>(null)
  const values = { ...base, ...given, ...changes }
  const isChanged = Object.keys(changes).some((name) => !same(changes[name], base[name]))

  useEffect(() => {
    keepDraft(key, isChanged ? changes : undefined)
  }, [key, changes, isChanged])

  function set(path: string, value: unknown) {
    const name = path.split('/')[1]!
    setSaved(false)
    setChanges((before) => {
      const whole = withValue({ [name]: { ...base, ...before }[name] } as Values, path, value)
      return { ...before, [name]: name in whole ? whole[name] : undefined }
    })
    setFaults((before) => new Map([...before].filter(([each]) => each !== path)))
  }
  function refused(found: ReadonlyMap<string, string>) {
    setFaults(found)
    const [first] = found.keys()
    setTimeout(() => {
      const element = document.getElementById(idOf(id, first ?? ''))
      const group = element?.matches('fieldset')
        ? element.querySelector<HTMLElement>('input, select, textarea, button')
        : null
      ;(group ?? element ?? summary.current)?.focus()
    })
  }
  async function meet() {
    // Somebody else was faster: what they changed and I did not is taken over, what both changed is shown.
    const now = await reread!()
    const theirs = Object.keys(now).filter((name) => !same(now[name], base[name]))
    setOthers(new Map(theirs.filter((name) => name in changes).map((name) => [`/${name}`, now[name]])))
    setBase(now)
    setProblem(t('admin.changed_meanwhile'))
    setTimeout(() => summary.current?.focus())
  }
  async function submit(event: FormEvent) {
    event.preventDefault()
    if (isBusy) return
    setProblem('')
    const wanted = cleaned(fields, values)
    const asked = row ? fields.filter(({ name }) => !same(wanted[name], base[name]) && name in changes) : fields
    const found = new Map(
      [...faultsOf(asked, values)].map(([path, code]) => [path, t(`admin.fault.${code}` as MessageKey)]),
    )
    for (const each of props.refuse?.(values) ?? []) found.set(...each)
    if (found.size > 0) return refused(found)
    const sent = row
      ? Object.fromEntries(asked.map(({ name }) => [name, wanted[name] ?? null]))
      : { ...wanted, ...given }
    setBusy(true)
    try {
      await send(sent)
      keepDraft(key, undefined)
      setBase((before) => ({ ...before, ...sent }))
      setChanges({})
      setOthers(new Map())
      setFaults(new Map())
      setRestored(false)
      setSaved(true)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (error.status === 412 && reread) return await meet()
      setProblem(error.status ? error.message : t('console.not_sent'))
      refused(new Map(error.errors.map(({ path, detail }) => [path, detail])))
    } finally {
      setBusy(false)
    }
  }
  const context = { api, id, noun, values, faults, others, kinds, set }
  return (
    <FormState.Provider value={context}>
      <form className="form" noValidate onSubmit={(event) => void submit(event)} data-form={noun}>
        <div ref={summary} tabIndex={-1} role="alert" className="summary" data-summary>
          {(problem !== '' || faults.size > 0) && (
            <div className="banner" data-kind="danger">
              <p>
                <Icon name="alert" /> {problem || t('admin.look_again', { count: faults.size })}
              </p>
              <ul>
                {[...faults].map(([path, text]) => (
                  <li key={path}>
                    <a
                      href={`#${idOf(id, path)}`}
                      onClick={(event) => {
                        event.preventDefault()
                        document.getElementById(idOf(id, path))?.focus()
                      }}
                    >
                      {nameOf(path, noun)}: {text}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </div>
        {isRestored && isChanged && (
          <p className="banner" role="status" data-restored>
            {t('admin.draft_kept')}{' '}
            <button
              type="button"
              className="button"
              onClick={() => {
                setChanges({})
                setRestored(false)
              }}
            >
              {t('admin.discard')}
            </button>
          </p>
        )}
        {fields.map((field) => (
          <FieldView key={field.path} field={field} />
        ))}
        {Beside && <Beside api={api} values={values} />}
        <div className="row form-end" data-sticky={row === undefined || isChanged || undefined}>
          <button
            type="submit"
            className="button"
            data-kind="primary"
            disabled={isBusy || (row !== undefined && !isChanged)}
          >
            {props.submitLabel ?? t(row ? 'admin.save' : 'admin.create')}
          </button>
          {row && isChanged && !isRestored && (
            <button type="button" className="button" data-kind="quiet" data-discard onClick={() => setChanges({})}>
              {t('admin.discard')}
            </button>
          )}
          {props.actions}
          {row && isChanged && <span className="muted">{t('admin.unsaved')}</span>}
          <span role="status" className="saved">
            {isSaved && (
              <>
                <Icon name="check" /> {t('admin.saved')}
              </>
            )}
          </span>
        </div>
      </form>
    </FormState.Provider>
  )
}

/** `/holidays/country` in words. */
const nameOf = (path: string, noun: string) =>
  path
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : fieldLabel(part, noun)))
    .join(' › ')
