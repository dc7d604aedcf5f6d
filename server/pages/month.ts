import type { Month, Slot } from '../../shared/booking.ts'

/** What `appointments.slots` answers, as far as a page shows it. */
export interface Slots {
  services: { days: { date: string; slots: Slot[] }[] }[]
  exceptions: { date: string; is_open: boolean; reason: Record<string, string> }[]
}

/** Days that one look at the slots covers. */
const LOOK_DAYS = 61
const isMonth = (text: string | undefined): text is string => /^\d{4}-(?:0[1-9]|1[0-2])$/.test(text ?? '')
/** A day that the calendar has: what others may be written would stop the page where it is told in words. */
function isDay(text: string | undefined): text is string {
  const [, month, day] = /^(\d{4}-(?:0[1-9]|1[0-2]))-(\d{2})$/.exec(text ?? '') ?? []
  return month !== undefined && Number(day) >= 1 && Number(day) <= Temporal.PlainYearMonth.from(month).daysInMonth
}

/** The month that was asked for, or the first one with a free time; never outside `bounds`. */
export async function monthOf(
  slots: (from: string, to: string) => Promise<Slots>,
  asked: { month?: string | undefined; day?: string | undefined },
  bounds: { today: string; last_day: string },
): Promise<Month> {
  const wanted = isDay(asked.day) ? asked.day.slice(0, 7) : isMonth(asked.month) ? asked.month : undefined
  const within = wanted && clamp(wanted, bounds.today.slice(0, 7), bounds.last_day.slice(0, 7))
  const month = within ?? (await firstFree(slots, bounds)).slice(0, 7)
  const first = Temporal.PlainYearMonth.from(month).toPlainDate({ day: 1 })
  const from = clamp(first.toString(), bounds.today, bounds.last_day)
  const { services, exceptions } = await slots(from, first.add({ months: 1 }).subtract({ days: 1 }).toString())
  const days = services[0]?.days ?? []
  const chosen = days.find(({ date }) => date === asked.day) ?? (isDay(asked.day) ? undefined : days[0])
  const day = chosen?.date ?? (isDay(asked.day) && asked.day.startsWith(month) ? asked.day : undefined)
  return {
    month,
    free: Object.fromEntries(days.map(({ date, slots: { length } }) => [date, length])),
    ...(day && { day }),
    times: chosen?.slots ?? [],
    reasons: Object.fromEntries(exceptions.map(({ date, reason }) => [date, reason])),
  }
}

async function firstFree(
  slots: (from: string, to: string) => Promise<Slots>,
  { today, last_day }: { today: string; last_day: string },
): Promise<string> {
  const to = clamp(Temporal.PlainDate.from(today).add({ days: LOOK_DAYS }).toString(), today, last_day)
  const { services } = await slots(today, to)
  return services[0]?.days[0]?.date ?? today
}

const clamp = (value: string, least: string, most: string) => (value < least ? least : value > most ? most : value)
