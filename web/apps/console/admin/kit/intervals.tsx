import { useState } from 'react'
import { t } from '../../../../ui/messages.ts'
import { Icon } from '../../../../ui/parts/react.ts'

export type Interval = [from: string, to: string]

/** `9`, `930`, `9h30` and `9:5` as `HH:MM`; anything else as it is, for the server to refuse. */
export function asTime(typed: string): string {
  const match = /^\s*(\d{1,2})\s*(?:[:hH.]\s*(\d{1,2})?)?\s*$/.exec(typed) ?? /^\s*(\d{1,2})(\d{2})\s*$/.exec(typed)
  return match ? `${match[1]!.padStart(2, '0')}:${(match[2] ?? '0').padStart(2, '0')}` : typed.trim()
}

interface IntervalsProps {
  id: string
  intervals: readonly Interval[]
  set(intervals: Interval[]): void
  empty: string
}
/** Times of one day, each from and to; adding begins where the last one ends. */
export function Intervals({ id, intervals, set, empty }: IntervalsProps) {
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
