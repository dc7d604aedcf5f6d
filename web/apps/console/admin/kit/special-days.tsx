import { currentLanguage, t } from '../../../../ui/messages.ts'
import { Icon } from '../../../../ui/parts/react.ts'
import type { ReactNode } from 'react'
import { Intervals } from './intervals.tsx'
import type { OpeningHours, Reason } from './opening-hours.ts'

interface Props {
  id: string
  hours: OpeningHours
  change(next: Partial<OpeningHours>): void
}
/** Days unlike others, times away, and public holidays. */
export function SpecialDays({ id, hours, change }: Props) {
  const { exceptions = [], closures = [], holidays } = hours
  const exception = (i: number, next: object) =>
    change({ exceptions: exceptions.map((each, n) => (n === i ? { ...each, ...next } : each)) })
  const closure = (i: number, next: object) =>
    change({ closures: closures.map((each, n) => (n === i ? { ...each, ...next } : each)) })
  return (
    <>
      <h3>{t('admin.exceptions')}</h3>
      {exceptions.map(({ date, intervals, reason }, i) => (
        // oxlint-disable-next-line no-array-index-key -- a date may be typed twice
        <Special
          key={i}
          label={t('admin.exceptions')}
          place={{ 'data-exception': i }}
          number={i + 1}
          reason={reason}
          setReason={(next) => exception(i, { reason: next })}
          onRemove={() => change({ exceptions: exceptions.filter((_, n) => n !== i) })}
        >
          <Day label={t('admin.field.date')} value={date} set={(day) => exception(i, { date: day })} />
          <Intervals
            id={`${id}-x${i}`}
            intervals={intervals}
            set={(next) => exception(i, { intervals: next })}
            empty={t('admin.closed')}
          />
        </Special>
      ))}
      {closures.map(({ from, to, reason }, i) => (
        // oxlint-disable-next-line no-array-index-key -- as above
        <Special
          key={i}
          label={t('admin.closures')}
          place={{ 'data-closure': i }}
          number={i + 1}
          reason={reason}
          setReason={(next) => closure(i, { reason: next })}
          onRemove={() => change({ closures: closures.filter((_, n) => n !== i) })}
        >
          <Day label={t('admin.from')} value={from} set={(day) => closure(i, { from: day })} />
          <Day label={t('admin.to')} value={to} set={(day) => closure(i, { to: day })} />
        </Special>
      ))}
      <div className="row">
        <button
          type="button"
          className="button"
          data-add-exception
          onClick={() => change({ exceptions: [...exceptions, { date: '', intervals: [] }] })}
        >
          {t('admin.add_exception')}
        </button>
        <button
          type="button"
          className="button"
          data-add-closure
          onClick={() => change({ closures: [...closures, { from: '', to: '' }] })}
        >
          {t('admin.add_closure')}
        </button>
        <label className="inline">
          {t('admin.holidays_of')}{' '}
          <input
            id={`${id}-holidays`}
            dir="ltr"
            className="time"
            maxLength={2}
            placeholder="FR"
            value={holidays?.country ?? ''}
            onChange={({ target }) => {
              const country = target.value.toUpperCase()
              change({ holidays: country ? { ...holidays, country } : undefined } as Partial<OpeningHours>)
            }}
          />
        </label>
      </div>
    </>
  )
}

interface SpecialProps {
  label: string
  place: Record<`data-${string}`, number>
  /** Its place in the list, from one. */
  number: number
  reason: Reason | undefined
  setReason(reason: Reason): void
  onRemove(): void
  /** When it is. */
  children: ReactNode
}
/** One row: when, why in the reader's language, and the way to take it back. */
function Special({ label, place, number, reason, setReason, onRemove, children }: SpecialProps) {
  const language = currentLanguage()
  return (
    <div className="hours-day" role="group" aria-label={`${label} ${number}`} {...place}>
      {children}
      <input
        aria-label={t('admin.field.reason')}
        placeholder={t('admin.field.reason')}
        value={reason?.[language] ?? ''}
        onChange={(e) => setReason({ ...reason, [language]: e.target.value || undefined })}
      />
      <button
        type="button"
        className="button"
        data-kind="quiet"
        aria-label={t('admin.remove_row', { number })}
        onClick={onRemove}
      >
        <Icon name="cross" />
      </button>
    </div>
  )
}

const Day = ({ label, value, set }: { label: string; value: string; set(day: string): void }) => (
  <input type="date" dir="ltr" aria-label={label} value={value} onChange={(e) => set(e.target.value)} />
)
