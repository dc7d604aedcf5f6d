import ICAL from 'ical.js'

/** What an iCalendar resource (RFC 5545) says, without its words. */
export interface ReadEvent {
  uid: string
  /** Each time it takes place within what was asked for, RFC 3339 in UTC. */
  spans: { start_at: string; end_at: string }[]
  isRepeated: boolean
  isCancelled: boolean
  /** Leaves the person free (TRANSP). */
  isFree: boolean
}
interface Wanted {
  /** The zone of times that name none, and of whole days. */
  timezone: string
  from: string
  until: string
}
/** A rule that repeats more often is read so far. */
const MOST_REPEATS = 10_000
const MOST_SPANS = 1000

/** @throws Error for what cannot be read */
export function readEvent(text: string, { timezone, from, until }: Wanted): ReadEvent {
  const calendar = new ICAL.Component(ICAL.parse(text) as [])
  const parts = calendar.getAllSubcomponents('vevent')
  const master = parts.find((part) => !part.hasProperty('recurrence-id')) ?? parts[0]
  if (!master) throw new Error('no event')
  const event = new ICAL.Event(master, { exceptions: parts.filter((part) => part !== master) })
  const status = String(master.getFirstPropertyValue('status') ?? '')
  const isCancelled = status === 'CANCELLED'
  const isFree = isCancelled || String(master.getFirstPropertyValue('transp') ?? '') === 'TRANSPARENT'
  const isRepeated = event.isRecurring()
  const spans: ReadEvent['spans'] = []
  const add = (part: ICAL.Component, start: ICAL.Time, end: ICAL.Time) => {
    const start_at = instantOf(start, zoneOf(part, 'dtstart'), timezone)
    const end_at = instantOf(end, zoneOf(part, part.hasProperty('dtend') ? 'dtend' : 'dtstart'), timezone)
    const isWithin = start_at.epochMilliseconds < at(until) && end_at.epochMilliseconds > at(from)
    if (isWithin) spans.push({ start_at: start_at.toString(), end_at: end_at.toString() })
    return start_at.epochMilliseconds < at(until)
  }
  if (isRepeated) {
    const repeats = event.iterator()
    for (let i = 0; i < MOST_REPEATS && spans.length < MOST_SPANS; i++) {
      const next = repeats.next() as ICAL.Time | undefined
      if (!next) break
      const { item, startDate, endDate } = event.getOccurrenceDetails(next)
      if (!add(item.component, startDate, endDate)) break
    }
  } else add(master, event.startDate, event.endDate)
  return { uid: event.uid, spans, isRepeated, isCancelled, isFree }
}

const at = (instant: string) => Temporal.Instant.from(instant).epochMilliseconds

function zoneOf(part: ICAL.Component, name: string): string | undefined {
  const zone = part.getFirstProperty(name)?.getFirstParameter('tzid')
  try {
    return zone && new Temporal.PlainDate(2000, 1, 1).toZonedDateTime(zone).timeZoneId
  } catch {
    // Not a name of the world's list: the file must describe it.
    return undefined
  }
}

function instantOf(time: ICAL.Time, zone: string | undefined, fallback: string): Temporal.Instant {
  const isOwn = !time.isDate && zone === undefined && time.zone !== ICAL.Timezone.localTimezone
  if (isOwn) return Temporal.Instant.fromEpochMilliseconds(time.toUnixTime() * 1000)
  const { year, month, day, hour, minute, second } = time
  const local = time.isDate ? { year, month, day } : { year, month, day, hour, minute, second }
  return Temporal.PlainDateTime.from(local)
    .toZonedDateTime(zone ?? fallback)
    .toInstant()
}
