/** A page younger than this needs no fresh start. */
const MIN_AGE_HOURS = 12
/** From three to five in the morning. */
const [FROM_HOUR, UNTIL_HOUR] = [3, 5]

/** Is it night at the site, and the page old enough to be loaded anew? */
export function isRestTime(startedAt: number, timeZone: string, now = Date.now()): boolean {
  if (now - startedAt < MIN_AGE_HOURS * 3_600_000) return false
  const hour = Number(new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone }).format(now))
  return hour >= FROM_HOUR && hour < UNTIL_HOUR
}
