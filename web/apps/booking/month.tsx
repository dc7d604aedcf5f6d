import { useEffect, useRef, useState } from 'preact/hooks'
import { currentLanguage, t } from '../../ui/messages.ts'
import { Icon } from '../../ui/parts/preact.ts'
import type { Month } from '../../../shared/booking.ts'
import { addDays, addMonths, dayName, daysIn, inMonth, monthName, weekday, weekdays } from './dates.ts'

interface Props {
  month: Month
  /** The first and the last day that anybody may book. */
  first: string
  last: string
  /** Address of the page with another day or month, for browsers without scripts. */
  hrefOf(query: { month: string } | { day: string }): string
  /** Shows another day's times. */
  pick(day: string): void
  /** Shows another month; answers when it is there. */
  turn(month: string): Promise<boolean>
}

/**
 * The days of a month. Without scripts a table of links; with them a grid of the keyboard: arrows, Home and End for the
 * week, Page Up and Page Down for the month.
 */
export function MonthGrid({ month, first, last, hrefOf, pick, turn }: Props) {
  const isLive = useMounted()
  const [at, setAt] = useState<string>()
  const table = useRef<HTMLTableElement>(null)
  const mayGo = (to: string) => to >= first.slice(0, 7) && to <= last.slice(0, 7)
  const focusable = at?.startsWith(month.month) ? at : (month.day ?? Object.keys(month.free)[0] ?? `${month.month}-01`)
  // The day that a key led to is focused once it is drawn, in this month or the next.
  useEffect(() => {
    if (at) table.current?.querySelector<HTMLElement>(`[data-day="${at}"]`)?.focus()
  }, [at, month.month])

  async function go(to: string) {
    const wanted = to < first ? first : to > last ? last : to
    if (wanted.slice(0, 7) !== month.month && !(await turn(wanted.slice(0, 7)))) return
    setAt(wanted)
  }
  function onKeyDown(event: KeyboardEvent) {
    const day = (event.currentTarget as HTMLElement).dataset['day']
    if (!day || event.altKey || event.ctrlKey || event.metaKey) return
    const forward = document.dir === 'rtl' ? -1 : 1
    const to: Record<string, () => string> = {
      ArrowRight: () => addDays(day, forward),
      ArrowLeft: () => addDays(day, -forward),
      ArrowDown: () => addDays(day, 7),
      ArrowUp: () => addDays(day, -7),
      Home: () => addDays(day, 1 - weekday(day)),
      End: () => addDays(day, 7 - weekday(day)),
      PageDown: () => inMonth(day, addMonths(month.month, 1)),
      PageUp: () => inMonth(day, addMonths(month.month, -1)),
    }
    const target = to[event.key]
    if (!target) return
    event.preventDefault()
    void go(target())
  }
  const turnLink = (to: string, name: 'back' | 'next') =>
    mayGo(to) ? (
      <a
        class="turn"
        href={hrefOf({ month: to })}
        aria-label={`${t(name === 'back' ? 'booking.previous_month' : 'booking.next_month')} · ${monthName(to)}`}
        onClick={(event: MouseEvent) => {
          event.preventDefault()
          void turn(to)
        }}
      >
        <Icon name={name} />
      </a>
    ) : (
      <span class="turn" />
    )
  return (
    <div class="month">
      <div class="month-head">
        {turnLink(addMonths(month.month, -1), 'back')}
        <h2 class="subtitle" id="month-name" aria-live="polite">
          {monthName(month.month)}
        </h2>
        {turnLink(addMonths(month.month, 1), 'next')}
      </div>
      <table ref={table} role={isLive ? 'grid' : undefined} aria-labelledby="month-name">
        <thead>
          <tr>
            {weekdays('head').map((name, i) => (
              <th key={name} scope="col" abbr={weekdays('long')[i]}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(month.month).map((week) => (
            <tr key={week[0]}>
              {week.map((day) => (
                <DayCell
                  key={day}
                  day={day}
                  month={month}
                  isLive={isLive}
                  isFocusable={day === focusable}
                  href={hrefOf({ day })}
                  pick={pick}
                  onKeyDown={onKeyDown}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface CellProps {
  day: string
  month: Month
  isLive: boolean
  isFocusable: boolean
  href: string
  pick(day: string): void
  onKeyDown(event: KeyboardEvent): void
}
function DayCell({ day, month, isLive, isFocusable, href, pick, onKeyDown }: CellProps) {
  if (!day.startsWith(month.month)) return <td>&nbsp;</td>
  const count = month.free[day] ?? 0
  const isChosen = day === month.day
  const reason = month.reasons[day]?.[currentLanguage()]
  const label = `${dayName(day)} · ${reason ?? ''}${reason ? ' · ' : ''}${t('booking.free_times', { count })}`
  const number = <bdi>{Number(day.slice(8))}</bdi>
  if (isLive)
    return (
      <td class="day" data-free={count > 0}>
        <button
          type="button"
          data-day={day}
          tabIndex={isFocusable ? 0 : -1}
          aria-pressed={isChosen}
          aria-disabled={count === 0}
          aria-label={label}
          onKeyDown={onKeyDown}
          onClick={() => count > 0 && pick(day)}
        >
          {number}
        </button>
      </td>
    )
  return (
    <td class="day" data-free={count > 0}>
      {count > 0 ? (
        <a href={`${href}#times`} aria-label={label} aria-current={isChosen ? 'date' : undefined}>
          {number}
        </a>
      ) : (
        <span class="none">{number}</span>
      )}
    </td>
  )
}

function weeksOf(month: string): string[][] {
  const begin = addDays(`${month}-01`, 1 - weekday(`${month}-01`))
  const count = Math.ceil((weekday(`${month}-01`) - 1 + daysIn(month)) / 7)
  return Array.from({ length: count }, (_week, w) => Array.from({ length: 7 }, (_day, d) => addDays(begin, w * 7 + d)))
}

/** False on the server and at first, so that what is drawn over its page is the same. */
export function useMounted(): boolean {
  const [isMounted, setMounted] = useState(false)
  useEffect(() => setMounted(true), [])
  return isMounted
}
