import { useState } from 'react'
import { currentLanguage, t } from '../../../../ui/messages.ts'
import { languageTag } from '../../../../../shared/format.ts'
import { Icon } from '../../../../ui/parts/react.ts'

type Interval = [string, string]
type Day = '1' | '2' | '3' | '4' | '5' | '6' | '7'
interface Reason {
  fr?: string
  en?: string
  ar?: string
}
interface Value {
  weekly: Partial<Record<Day, Interval[]>>
  exceptions?: { date: string; intervals: Interval[]; reason?: Reason }[]
  closures?: { from: string; to: string; reason?: Reason }[]
  holidays?: { country: string; state?: string; region?: string }
}
const DAYS: Day[] = ['1', '2', '3', '4', '5', '6', '7']
const MINUTES = 1440

/** The weekday's name; 2024 began on a Monday. */
const dayName = (day: Day) =>
  new Intl.DateTimeFormat(languageTag(currentLanguage()), { weekday: 'long', timeZone: 'UTC' }).format(
    Date.UTC(2024, 0, Number(day)),
  )
/** `9`, `930`, `9h30` and `9:5` as `HH:MM`; anything else as it is, for the server to refuse. */
export function asTime(typed: string): string {
  const match = /^\s*(\d{1,2})\s*(?:[:hH.]\s*(\d{1,2})?)?\s*$/.exec(typed) ?? /^\s*(\d{1,2})(\d{2})\s*$/.exec(typed)
  return match ? `${match[1]!.padStart(2, '0')}:${(match[2] ?? '0').padStart(2, '0')}` : typed.trim()
}
const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/** A week of opening hours: every day's intervals as text and as a bar, then the days that are unlike others. */
export function Hours(props: { id: string; isNullable: boolean; value: unknown; set(value: unknown): void }) {
  const { id, isNullable, value, set } = props
  const hours = (value ?? null) as Value | null
  const change = (next: Partial<Value>) => set({ ...(hours ?? { weekly: {} }), ...next })
  const setDay = (day: Day, intervals: Interval[]) => change({ weekly: { ...hours!.weekly, [day]: intervals } })
  return (
    <div className="hours">
      {isNullable && (
        <label className="check">
          <input
            type="checkbox"
            id={`${id}-always`}
            checked={hours === null}
            onChange={(e) => set(e.target.checked ? null : { weekly: {} })}
          />{' '}
          <span>{t('admin.always_open')}</span>
        </label>
      )}
      {hours && (
        <>
          {DAYS.map((day) => {
            const intervals = hours.weekly[day] ?? []
            return (
              <div className="hours-day" key={day} role="group" aria-label={dayName(day)} data-day={day}>
                <span className="hours-name">{dayName(day)}</span>
                <Intervals
                  id={`${id}-${day}`}
                  intervals={intervals}
                  set={(next) => setDay(day, next)}
                  empty={t('admin.closed')}
                />
                <Track intervals={intervals} />
                <button
                  type="button"
                  className="button"
                  data-kind="quiet"
                  data-copy={day}
                  onClick={() =>
                    change({
                      weekly: Object.fromEntries(
                        DAYS.map((each) => [each, Number(each) > 5 ? (hours.weekly[each] ?? []) : intervals]),
                      ),
                    })
                  }
                >
                  {t('admin.copy_to_weekdays')}
                </button>
              </div>
            )
          })}
          <Exceptions id={id} hours={hours} change={change} />
        </>
      )}
    </div>
  )
}

/** When of the day it is open: decoration beside the times themselves. */
function Track({ intervals }: { intervals: readonly Interval[] }) {
  return (
    <svg className="track" viewBox={`0 0 ${MINUTES} 10`} preserveAspectRatio="none" aria-hidden="true">
      {intervals.map(([from, to]) => {
        const start = minuteOf(from)
        const end = minuteOf(to)
        const isSane = start >= 0 && end >= 0
        return isSane && <rect key={from} x={start} y="0" height="10" width={(end > start ? end : MINUTES) - start} />
      })}
    </svg>
  )
}

interface IntervalsProps {
  id: string
  intervals: readonly Interval[]
  set(intervals: Interval[]): void
  empty: string
}
function Intervals({ id, intervals, set, empty }: IntervalsProps) {
  const put = (i: number, side: 0 | 1, time: string) =>
    set(intervals.map((each, n) => (n === i ? (each.with(side, time) as Interval) : each)))
  const last = intervals.at(-1)
  return (
    <span className="intervals">
      {intervals.length === 0 && <span className="muted">{empty}</span>}
      {intervals.map(([from, to], i) => (
        // oxlint-disable-next-line no-array-index-key -- an interval has no name but its place
        <span className="interval" key={i}>
          <Time
            id={`${id}-${i}-from`}
            label={t('admin.from_nth', { number: i + 1 })}
            value={from}
            set={(time) => put(i, 0, time)}
          />
          <span aria-hidden="true">–</span>
          <Time
            id={`${id}-${i}-to`}
            label={t('admin.to_nth', { number: i + 1 })}
            value={to}
            set={(time) => put(i, 1, time)}
          />
          <button
            type="button"
            className="button"
            data-kind="quiet"
            aria-label={t('admin.remove_row', { number: i + 1 })}
            onClick={() => set(intervals.filter((_, n) => n !== i))}
          >
            <Icon name="cross" />
          </button>
        </span>
      ))}
      <button
        type="button"
        className="button"
        data-kind="quiet"
        data-add-interval={id}
        onClick={() => set([...intervals, last ? [last[1], '24:00'] : ['09:00', '17:00']])}
      >
        {t('admin.add_hours')}
      </button>
    </span>
  )
}

/** A time of day: typed as people write it, put right on leaving. */
function Time({ id, label, value, set }: { id: string; label: string; value: string; set(time: string): void }) {
  const [typed, setTyped] = useState<string | null>(null)
  return (
    <input
      id={id}
      className="time"
      dir="ltr"
      inputMode="numeric"
      aria-label={label}
      value={typed ?? value}
      onChange={(e) => setTyped(e.target.value)}
      onBlur={() => {
        if (typed !== null) set(asTime(typed))
        setTyped(null)
      }}
    />
  )
}

interface ExceptionsProps {
  id: string
  hours: Value
  change(next: Partial<Value>): void
}
/** Days unlike others, times away, and public holidays. */
function Exceptions({ id, hours, change }: ExceptionsProps) {
  const { exceptions = [], closures = [], holidays } = hours
  const exception = (i: number, next: object) =>
    change({ exceptions: exceptions.map((each, n) => (n === i ? { ...each, ...next } : each)) })
  const closure = (i: number, next: object) =>
    change({ closures: closures.map((each, n) => (n === i ? { ...each, ...next } : each)) })
  const language = currentLanguage()
  const reasonOf = (reason: Reason | undefined, text: string) => ({
    reason: { ...reason, [language]: text || undefined },
  })
  return (
    <>
      <h3>{t('admin.exceptions')}</h3>
      {exceptions.map(({ date, intervals, reason }, i) => (
        // oxlint-disable-next-line no-array-index-key -- a date may be typed twice
        <div
          className="hours-day"
          key={i}
          role="group"
          aria-label={`${t('admin.exceptions')} ${i + 1}`}
          data-exception={i}
        >
          <input
            type="date"
            dir="ltr"
            aria-label={t('admin.field.date')}
            value={date}
            onChange={(e) => exception(i, { date: e.target.value })}
          />
          <Intervals
            id={`${id}-x${i}`}
            intervals={intervals}
            set={(next) => exception(i, { intervals: next })}
            empty={t('admin.closed')}
          />
          <input
            aria-label={t('admin.field.reason')}
            placeholder={t('admin.field.reason')}
            value={reason?.[language] ?? ''}
            onChange={(e) => exception(i, reasonOf(reason, e.target.value))}
          />
          <Remove number={i + 1} onClick={() => change({ exceptions: exceptions.filter((_, n) => n !== i) })} />
        </div>
      ))}
      {closures.map(({ from, to, reason }, i) => (
        // oxlint-disable-next-line no-array-index-key -- as above
        <div className="hours-day" key={i} role="group" aria-label={`${t('admin.closures')} ${i + 1}`} data-closure={i}>
          <input
            type="date"
            dir="ltr"
            aria-label={t('admin.from')}
            value={from}
            onChange={(e) => closure(i, { from: e.target.value })}
          />
          <input
            type="date"
            dir="ltr"
            aria-label={t('admin.to')}
            value={to}
            onChange={(e) => closure(i, { to: e.target.value })}
          />
          <input
            aria-label={t('admin.field.reason')}
            placeholder={t('admin.field.reason')}
            value={reason?.[language] ?? ''}
            onChange={(e) => closure(i, reasonOf(reason, e.target.value))}
          />
          <Remove number={i + 1} onClick={() => change({ closures: closures.filter((_, n) => n !== i) })} />
        </div>
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
              change({ holidays: country ? { ...holidays, country } : undefined } as Partial<Value>)
            }}
          />
        </label>
      </div>
    </>
  )
}
const Remove = ({ number, onClick }: { number: number; onClick(): void }) => (
  <button
    type="button"
    className="button"
    data-kind="quiet"
    aria-label={t('admin.remove_row', { number })}
    onClick={onClick}
  >
    <Icon name="cross" />
  </button>
)
