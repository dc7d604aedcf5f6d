import { useRef, useState } from 'preact/hooks'
import { call } from '../../data/api.ts'
import { appointmentsSlots, type AppointmentsSlots } from '../../data/operations.ts'
import { announce } from '../../ui/announce.ts'
import { t } from '../../ui/messages.ts'
import type { Month } from '../../../shared/booking.ts'
import type { Place } from './data.ts'
import { addDays, addMonths, dayName } from './dates.ts'

interface Asked {
  tenant: string
  place: Place
  serviceId: number
  /** Address of the page with another day or month, where the answer does not come. */
  hrefOf(query: { month: string } | { day: string }): string
}

/** The month and the day that are looked at, read anew with each step: what was free a minute ago may be taken. */
export function useMonth(first: Month, { tenant, place, serviceId, hrefOf }: Asked) {
  const [month, setMonth] = useState(first)
  const latest = useRef(0)
  const read = (from: string, to: string) =>
    call(appointmentsSlots, { tenant, site: place.site.id, service: serviceId, from, to })

  async function show(from: string, to: string, href: string, next: (answer: AppointmentsSlots) => Month) {
    const turn = ++latest.current
    try {
      const answer = await read(from, to)
      // A quicker second key has asked for something else.
      if (turn !== latest.current) return false
      const shown = next(answer)
      setMonth(shown)
      if (shown.day) announce(`${dayName(shown.day)} · ${t('booking.free_times', { count: shown.times.length })}`)
      return true
    } catch {
      location.assign(href)
      return false
    }
  }
  const pick = (day: string) =>
    void show(day, day, hrefOf({ day }), ({ services }) => {
      const times = services[0]?.days[0]?.slots ?? []
      return { ...month, day, times, free: { ...month.free, [day]: times.length } }
    })
  const turn = (to: string) => {
    const from = `${to}-01` < place.today ? place.today : `${to}-01`
    return show(from, addDays(`${addMonths(to, 1)}-01`, -1), hrefOf({ month: to }), ({ services, exceptions }) => {
      const days = services[0]?.days ?? []
      return {
        month: to,
        free: Object.fromEntries(days.map(({ date, slots }) => [date, slots.length])),
        ...(days[0] && { day: days[0].date }),
        times: days[0]?.slots ?? [],
        reasons: Object.fromEntries(exceptions.map(({ date, reason }) => [date, reason as Record<string, string>])),
      }
    })
  }
  return { month, pick, turn }
}
