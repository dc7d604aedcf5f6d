import { currentLanguage, t } from '../../../../ui/messages.ts'
import { languageTag } from '../../../../../shared/format.ts'
import { Intervals, type Interval } from './intervals.tsx'
import type { Day, OpeningHours } from './opening-hours.ts'
import { SpecialDays } from './special-days.tsx'

const DAYS: Day[] = ['1', '2', '3', '4', '5', '6', '7']
const MINUTES = 1440

/** The weekday's name; 2024 began on a Monday. */
const dayName = (day: Day) =>
  new Intl.DateTimeFormat(languageTag(currentLanguage()), { weekday: 'long', timeZone: 'UTC' }).format(
    Date.UTC(2024, 0, Number(day)),
  )
const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/** A week of opening hours: every day's intervals as text and as a bar, then the days that are unlike others. */
export function Hours(props: { id: string; isNullable: boolean; value: unknown; set(value: unknown): void }) {
  const { id, isNullable, value, set } = props
  const hours = (value ?? null) as OpeningHours | null
  const change = (next: Partial<OpeningHours>) => set({ ...(hours ?? { weekly: {} }), ...next })
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
          <SpecialDays id={id} hours={hours} change={change} />
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
