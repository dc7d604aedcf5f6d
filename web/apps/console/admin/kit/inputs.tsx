import { useState } from 'react'
import { t } from '../../../../ui/messages.ts'
import { useForm, type Aria } from './form-state.ts'
import { nounOf } from './model.ts'
import { useOptions } from './options.ts'
import { valueLabel } from './words.ts'

interface Props {
  value: unknown
  set(value: unknown): void
}
const toggled = <T,>(list: readonly T[], each: T, isIn: boolean): T[] =>
  isIn ? [...list, each] : list.filter((other) => other !== each)

/** Some of a closed set. */
export function Choices({ id, name, all, value, set }: Props & { id: string; name: string; all: readonly string[] }) {
  const chosen = (value ?? []) as string[]
  return (
    <div className="checks">
      {all.map((each) => (
        <label className="check" key={each}>
          <input
            type="checkbox"
            id={`${id}-${each}`}
            checked={chosen.includes(each)}
            onChange={(e) => set(toggled(chosen, each, e.target.checked))}
          />{' '}
          <span>{valueLabel(name, each)}</span>
        </label>
      ))}
    </div>
  )
}

/** Another thing of the organisation, by its name. */
export function Reference({
  aria,
  name,
  isNullable,
  value,
  set,
}: Props & { aria: Aria; name: string; isNullable: boolean }) {
  const { api, values } = useForm()
  const options = useOptions(api, nounOf(name))
  const site = values['site_id']
  const near = options?.filter((each) => each.site === null || typeof site !== 'number' || each.site === site)
  return (
    <select
      {...aria}
      value={typeof value === 'number' ? value : ''}
      onChange={(e) => set(e.target.value === '' ? (isNullable ? null : undefined) : Number(e.target.value))}
    >
      <option value="">{t(options ? (isNullable ? 'admin.none' : 'admin.choose') : 'ui.loading')}</option>
      {near?.map(({ id, label }) => (
        <option key={id} value={id}>
          {label}
        </option>
      ))}
    </select>
  )
}

/** Several of them; null is all there are and will be. */
export function References({
  id,
  name,
  isNullable,
  value,
  set,
}: Props & { id: string; name: string; isNullable: boolean }) {
  const { api, values } = useForm()
  const options = useOptions(api, nounOf(name))
  const chosen = (value ?? []) as number[]
  const site = values['site_id']
  const near = options?.filter((each) => each.site === null || typeof site !== 'number' || each.site === site)
  const isAll = isNullable && (value === null || value === undefined)
  return (
    <div className="checks">
      {isNullable && (
        <label className="check">
          <input type="checkbox" id={`${id}-all`} checked={isAll} onChange={(e) => set(e.target.checked ? null : [])} />{' '}
          <span>{t('admin.all_of_them')}</span>
        </label>
      )}
      {!isAll &&
        near?.map((each) => (
          <label className="check" key={each.id}>
            <input
              type="checkbox"
              id={`${id}-${each.id}`}
              checked={chosen.includes(each.id)}
              onChange={(e) => set(toggled(chosen, each.id, e.target.checked))}
            />{' '}
            <span>{each.label}</span>
          </label>
        ))}
      {!isAll && near?.length === 0 && <span className="muted">{t('admin.nothing_yet')}</span>}
    </div>
  )
}

const UNITS = [1, 60, 3600, 86_400] as const
/** Seconds, in the largest unit that says them whole. */
export function Duration({ aria, isNullable, value, set }: Props & { aria: Aria; isNullable: boolean }) {
  const seconds = typeof value === 'number' ? value : null
  const [unit, setUnit] = useState<number>(() => UNITS.findLast((each) => seconds && seconds % each === 0) ?? 60)
  return (
    <span className="duration">
      <input
        {...aria}
        type="number"
        inputMode="numeric"
        dir="ltr"
        min={0}
        step="any"
        value={seconds === null ? '' : seconds / unit}
        onChange={(e) =>
          set(e.target.value === '' ? (isNullable ? null : undefined) : Math.round(Number(e.target.value) * unit))
        }
      />
      <select
        aria-label={t('admin.unit')}
        value={unit}
        onChange={(e) => {
          const next = Number(e.target.value)
          setUnit(next)
          if (seconds !== null) set(Math.round((seconds / unit) * next))
        }}
      >
        {UNITS.map((each) => (
          <option key={each} value={each}>
            {t(`admin.unit.${each}`)}
          </option>
        ))}
      </select>
    </span>
  )
}

/** One text a line. */
export function Lines({ aria, value, set }: Props & { aria: Aria }) {
  const lines = (value ?? []) as string[]
  return (
    <textarea
      {...aria}
      rows={Math.max(2, lines.length)}
      dir="auto"
      value={lines.join('\n')}
      onChange={(e) => set(e.target.value === '' ? [] : e.target.value.split('\n'))}
    />
  )
}

/** Whole numbers with commas between. */
export function Numbers({ aria, value, set }: Props & { aria: Aria }) {
  const [text, setText] = useState(() => ((value ?? []) as number[]).join(', '))
  return (
    <input
      {...aria}
      dir="ltr"
      value={text}
      onChange={(e) => {
        setText(e.target.value)
        set((e.target.value.match(/\d+/g) ?? []).map(Number))
      }}
    />
  )
}

/** Names with a whole number each, `priority = 2` a line. */
export function Shares({ aria, value, set }: Props & { aria: Aria }) {
  const [text, setText] = useState(() =>
    Object.entries((value ?? {}) as Record<string, number>)
      .map(([name, share]) => `${name} = ${share}`)
      .join('\n'),
  )
  return (
    <textarea
      {...aria}
      rows={2}
      dir="ltr"
      value={text}
      onChange={(e) => {
        setText(e.target.value)
        const pairs = [...e.target.value.matchAll(/^\s*([\w-]+)\s*=\s*(\d+)\s*$/gm)]
        set(pairs.length ? Object.fromEntries(pairs.map(([, name, share]) => [name, Number(share)])) : undefined)
      }}
    />
  )
}

/** A moment, in the browser's own zone. */
export function Instant({ aria, value, set }: Props & { aria: Aria }) {
  const shown = typeof value === 'string' && value ? localText(new Date(value)) : ''
  return (
    <input
      {...aria}
      type="datetime-local"
      dir="ltr"
      value={shown}
      onChange={(e) => set(e.target.value ? new Date(e.target.value).toISOString() : null)}
    />
  )
}
const two = (value: number) => String(value).padStart(2, '0')
const localText = (at: Date) =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
