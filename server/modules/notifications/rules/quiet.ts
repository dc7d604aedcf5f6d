/**
 * When something that can wait may be sent: `instant`, or the end of the quiet hours it falls into. `starts` and `ends`
 * are local `HH:MM`; a local time that a change of clocks leaves out is the next that exists.
 */
export function afterQuietHours(
  instant: Temporal.Instant,
  timezone: string,
  starts: string | null,
  ends: string | null,
): Temporal.Instant {
  if (starts === null || ends === null || starts === ends) return instant
  const here = instant.toZonedDateTimeISO(timezone)
  const time = here.toPlainTime().toString({ smallestUnit: 'minute' })
  const isOvernight = ends < starts
  const isQuiet = isOvernight ? time >= starts || time < ends : time >= starts && time < ends
  if (!isQuiet) return instant
  const day = isOvernight && time >= starts ? here.toPlainDate().add({ days: 1 }) : here.toPlainDate()
  return day.toZonedDateTime({ timeZone: timezone, plainTime: Temporal.PlainTime.from(ends) }).toInstant()
}
