import { useId, useState, type ReactNode } from 'react'
import { t } from '../../../../ui/messages.ts'
import { Icon } from '../../../../ui/parts/react.ts'
import type { Schema } from '../../../../data/schema.ts'
import { Choices, Duration, Instant, Lines, Numbers, Reference, References, Shares } from './inputs.tsx'
import { Hours } from './hours.tsx'
import { asTime } from './intervals.tsx'
import { idOf, useForm, type Aria } from './form-state.ts'
import { fieldsOf, initialValues, valueAt, type Field, type Kind, type Values } from './model.ts'
import { fieldHint, fieldLabel, valueLabel } from './words.ts'

/** Kinds that are many controls: they have a legend, the others a label. */
const GROUPS = new Set<Kind>(['names', 'group', 'one', 'rows', 'choices', 'references', 'hours'])

export function FieldView({ field }: { field: Field }) {
  const form = useForm()
  const { name, path } = field
  const kind = form.kinds[name] ?? field.kind
  const id = idOf(form.id, path)
  const fault = form.faults.get(path)
  const hint = fieldHint(name, form.noun)
  const other = form.others.get(path)
  const label = (
    <>
      {fieldLabel(name, form.noun)}
      {field.isRequired && kind !== 'boolean' && <span className="needed"> {t('admin.needed')}</span>}
    </>
  )
  const below = (
    <>
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {other !== undefined && (
        <p className="hint" data-other={path}>
          <Icon name="people" /> {t('admin.now_is', { value: shortly(other) })}
        </p>
      )}
      {fault && (
        <p className="fault" id={`${id}-fault`} data-fault={path}>
          <Icon name="alert" /> {fault}
        </p>
      )}
    </>
  )
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined
  const aria: Aria = { id, 'aria-invalid': fault ? true : undefined, 'aria-describedby': described }
  if (GROUPS.has(kind))
    return (
      <fieldset className="field" id={id} tabIndex={-1} aria-describedby={described} data-field={path}>
        <legend>{label}</legend>
        <Inner field={field} kind={kind} aria={aria} />
        {below}
      </fieldset>
    )
  return (
    <div className="field" data-field={path} data-kind={kind}>
      {kind === 'boolean' ? (
        <label className="check">
          <Inner field={field} kind={kind} aria={aria} /> <span>{label}</span>
        </label>
      ) : (
        <>
          <label htmlFor={id}>{label}</label>
          <Inner field={field} kind={kind} aria={aria} />
        </>
      )}
      {below}
    </div>
  )
}
const shortly = (value: unknown) =>
  value === null || value === '' ? '—' : typeof value === 'object' ? JSON.stringify(value) : String(value as string)

interface InnerProps {
  field: Field
  kind: Kind
  aria: Aria
}

function Inner({ field, kind, aria }: InnerProps): ReactNode {
  const form = useForm()
  const { name, path, schema, isNullable, isRequired } = field
  const value = valueAt(form.values, path)
  const set = (next: unknown) => form.set(path, next)
  const text = (value ?? '') as string
  const length = schema.maxLength ? { maxLength: schema.maxLength } : {}
  switch (kind) {
    case 'boolean':
      return <input {...aria} type="checkbox" checked={value === true} onChange={(e) => set(e.target.checked)} />
    case 'choice':
      return (
        <select {...aria} value={text} onChange={(e) => set(e.target.value === '' ? null : e.target.value)}>
          {(isNullable || !isRequired || value === undefined) && (
            <option value="">{t(isRequired && !isNullable ? 'admin.choose' : 'admin.none')}</option>
          )}
          {schema.enum!.map((each) => (
            <option key={each} value={each}>
              {valueLabel(name, each)}
            </option>
          ))}
        </select>
      )
    case 'choices':
      return <Choices id={aria.id} name={name} all={(schema.items as Schema).enum!} value={value} set={set} />
    case 'reference':
      return <Reference aria={aria} name={name} isNullable={isNullable || !isRequired} value={value} set={set} />
    case 'references':
      return <References id={aria.id} name={name} isNullable={isNullable} value={value} set={set} />
    case 'number':
      return (
        <input
          {...aria}
          type="number"
          inputMode="decimal"
          dir="ltr"
          step={schema.type === 'integer' ? 1 : 'any'}
          value={typeof value === 'number' ? value : ''}
          onChange={(e) => set(e.target.value === '' ? (isNullable ? null : undefined) : Number(e.target.value))}
        />
      )
    case 'duration':
      return <Duration aria={aria} isNullable={isNullable} value={value} set={set} />
    case 'names':
      return <Names field={field} />
    case 'long':
      return <textarea {...aria} {...length} rows={4} dir="auto" value={text} onChange={(e) => set(e.target.value)} />
    case 'lines':
      return <Lines aria={aria} value={value} set={set} />
    case 'numbers':
      return <Numbers aria={aria} value={value} set={set} />
    case 'shares':
      return <Shares aria={aria} value={value} set={set} />
    case 'instant':
      return <Instant aria={aria} value={value} set={set} />
    case 'date':
      return <input {...aria} type="date" dir="ltr" value={text} onChange={(e) => set(e.target.value)} />
    case 'colour':
      return (
        <span className="colour">
          <input {...aria} dir="ltr" {...length} value={text} onChange={(e) => set(e.target.value || undefined)} />
          <input
            type="color"
            aria-label={fieldLabel(name, form.noun)}
            value={/^#[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : '#0a4da3'}
            onChange={(e) => set(e.target.value.toUpperCase())}
          />
        </span>
      )
    case 'timezone':
      return (
        <>
          <input
            {...aria}
            dir="ltr"
            list={`${aria.id}-zones`}
            value={text}
            onChange={(e) => set(e.target.value || undefined)}
          />
          <datalist id={`${aria.id}-zones`}>
            {Intl.supportedValuesOf('timeZone').map((zone) => (
              <option key={zone}>{zone}</option>
            ))}
          </datalist>
        </>
      )
    case 'minute':
      return (
        <input
          {...aria}
          dir="ltr"
          inputMode="numeric"
          placeholder={name === 'closes' ? '17:30' : '08:30'}
          value={text}
          onChange={(e) => set(e.target.value === '' && isNullable ? null : e.target.value)}
          onBlur={() => text.trim() !== '' && set(asTime(text))}
        />
      )
    case 'rows':
      return <Rows field={field} />
    case 'group':
      return (
        <div className="group">
          {fieldsOf(schema, path).map((each) => (
            <FieldView key={each.path} field={each} />
          ))}
        </div>
      )
    case 'one':
      return <One field={field} />
    case 'hours':
      return <Hours id={aria.id} isNullable={isNullable} value={value} set={set} />
    default:
      return (
        <input
          {...aria}
          {...length}
          type={kind === 'email' || kind === 'password' ? kind : 'text'}
          {...(kind === 'password' && { autoComplete: 'new-password' })}
          {...(/email|url|slug|code|prefix|domain|issuer|client/.test(`${name} ${kind}`)
            ? { dir: 'ltr' }
            : { dir: 'auto' })}
          value={text}
          onChange={(e) => set(e.target.value === '' && !isRequired && isNullable ? null : e.target.value)}
        />
      )
  }
}

/** One text in each language; each is written in its own direction. */
function Names({ field }: { field: Field }) {
  const form = useForm()
  const isLong = Object.values(field.schema.properties!).some(({ maxLength = 0 }) => maxLength > 300)
  return (
    <div className="languages-of">
      {Object.keys(field.schema.properties!).map((language) => {
        const path = `${field.path}/${language}`
        const value = (valueAt(form.values, path) ?? '') as string
        const id = idOf(form.id, path)
        const shared = {
          id,
          lang: language,
          dir: language === 'ar' ? 'rtl' : 'ltr',
          value,
          onChange: (event: { target: { value: string } }) => form.set(path, event.target.value || undefined),
        }
        return (
          <label key={language} data-field={path}>
            <span className="muted">{t(`admin.language.${language as 'fr'}`)}</span>
            {isLong ? <textarea rows={2} {...shared} /> : <input {...shared} />}
          </label>
        )
      })}
    </div>
  )
}

/** A list of small things, each a group of fields. */
function Rows({ field }: { field: Field }) {
  const form = useForm()
  const item = field.schema.items as Schema
  const rows = (valueAt(form.values, field.path) ?? []) as Values[]
  return (
    <div className="rows-of">
      {rows.map((_, i) => (
        // oxlint-disable-next-line no-array-index-key -- a row has no name but its place
        <div className="row-of" key={i} role="group" aria-label={`${fieldLabel(field.name, form.noun)} ${i + 1}`}>
          {fieldsOf(item, `${field.path}/${i}`).map((each) => (
            <FieldView key={each.path} field={each} />
          ))}
          <button
            type="button"
            className="button"
            data-kind="quiet"
            aria-label={t('admin.remove_row', { number: i + 1 })}
            onClick={() =>
              form.set(
                field.path,
                rows.filter((__, n) => n !== i),
              )
            }
          >
            <Icon name="cross" />
          </button>
        </div>
      ))}
      <button
        type="button"
        className="button"
        data-add={field.path}
        onClick={() => form.set(field.path, [...rows, initialValues(fieldsOf(item))])}
      >
        {t('admin.add_row')}
      </button>
    </div>
  )
}

/** Exactly one of several consequences. */
function One({ field }: { field: Field }) {
  const form = useForm()
  const fields = fieldsOf(field.schema, field.path)
  const value = (valueAt(form.values, field.path) ?? {}) as Values
  const [chosen, choose] = useState(Object.keys(value)[0] ?? '')
  const id = useId()
  const shown = fields.find(({ name }) => name === chosen)
  return (
    <div className="group">
      <div className="field">
        <label htmlFor={id}>{t('admin.consequence')}</label>
        <select
          id={id}
          data-one={field.path}
          value={chosen}
          onChange={({ target }) => {
            choose(target.value)
            form.set(field.path, {})
          }}
        >
          <option value="">{t('admin.none')}</option>
          {fields.map(({ name }) => (
            <option key={name} value={name}>
              {fieldLabel(name, form.noun)}
            </option>
          ))}
        </select>
      </div>
      {shown && <FieldView key={shown.path} field={{ ...shown, isRequired: true }} />}
    </div>
  )
}
