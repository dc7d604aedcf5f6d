import type { Static } from 'typebox'
import type { Condition, Effect } from '../schema.ts'

/** A rule as published, in its place among the others. */
export interface PublishedRule {
  id: number
  name: string
  condition: Static<typeof Condition>
  effect: Static<typeof Effect>
}

/** What conditions look at. Instants are local to the site. */
export interface RuleFacts {
  service_id: number
  channel: string
  language: string | null
  labels: readonly string[]
  /** Of the day, 0 to 1439; null when nobody has read the clock, which no hours match. */
  minute: number | null
  /** ISO: 1 is Monday. */
  weekday: number
  appointment: 'early' | 'on_time' | 'late' | null
  /** 0 for a newcomer. */
  wait_seconds: number
  queue_length: number
}

/** What the rules make of a ticket; absent where no rule says anything. */
export interface Decision {
  priority?: number
  queue_id?: number
  required_skill?: string
  refuse?: { reason: Partial<Record<'fr' | 'en' | 'ar', string>> }
  notify: { rule: PublishedRule; role: string; message: string }[]
  /** Rules that took effect, in order. */
  applied: PublishedRule[]
}

const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/** Whether the clock stands within hours; the part after midnight belongs to the day before. */
function isWithin(hours: NonNullable<PublishedRule['condition']['hours']>, minute: number, weekday: number): boolean {
  const from = minuteOf(hours.from)
  const to = minuteOf(hours.to)
  const isOn = (day: number) => !hours.weekdays || hours.weekdays.includes(day)
  if (from <= to) return isOn(weekday) && minute >= from && minute < to
  return (isOn(weekday) && minute >= from) || (isOn(weekday === 1 ? 7 : weekday - 1) && minute < to)
}

/** All that is given must hold; of a list, any. Nothing given always holds. */
export function matches(condition: PublishedRule['condition'], facts: RuleFacts): boolean {
  const { service_ids, channels, languages, customer_labels, hours, appointment } = condition
  if (service_ids && !service_ids.includes(facts.service_id)) return false
  if (channels && !channels.includes(facts.channel)) return false
  if (languages && !(languages as readonly (string | null)[]).includes(facts.language)) return false
  if (customer_labels && !customer_labels.some((label) => facts.labels.includes(label))) return false
  if (hours && (facts.minute === null || !isWithin(hours, facts.minute, facts.weekday))) return false
  if (appointment && appointment !== facts.appointment) return false
  if (condition.wait_over_seconds !== undefined && facts.wait_seconds <= condition.wait_over_seconds) return false
  return condition.queue_length_over === undefined || facts.queue_length > condition.queue_length_over
}

/**
 * Evaluates rules in order. Each that matches takes effect unless an earlier one has decided the same thing; a refusal or
 * another queue ends the evaluation, since nothing here concerns the ticket any more.
 */
export function decide(rules: readonly PublishedRule[], facts: RuleFacts): Decision {
  const decision: Decision = { notify: [], applied: [] }
  for (const rule of rules) {
    if (!matches(rule.condition, facts)) continue
    const { effect } = rule
    if (effect.notify) decision.notify.push({ rule, ...effect.notify })
    else if (effect.priority !== undefined && decision.priority === undefined) decision.priority = effect.priority
    else if (effect.required_skill !== undefined && decision.required_skill === undefined)
      decision.required_skill = effect.required_skill
    else if (effect.refuse) decision.refuse = effect.refuse
    else if (effect.queue_id !== undefined) decision.queue_id = effect.queue_id
    else continue
    decision.applied.push(rule)
    if (decision.refuse || decision.queue_id !== undefined) break
  }
  return decision
}

/** Rules for newcomers, and those that look at people while they wait. */
export const isLater = ({ condition }: PublishedRule): boolean => condition.wait_over_seconds !== undefined
/** Whether a rule looks at the clock of the site. */
export const asksTheHour = ({ condition }: PublishedRule): boolean =>
  condition.hours !== undefined || condition.appointment !== undefined
/** The longest line a rule asks about; null when none does. */
export const longestLine = (rules: readonly PublishedRule[]): number | null =>
  rules.reduce<number | null>(
    (most, { condition: { queue_length_over: length } }) => (length === undefined ? most : Math.max(most ?? 0, length)),
    null,
  )

/** So long before or after the booked time is not on time any more. */
const PUNCTUAL_SECONDS = 900
export function punctuality(bookedMicroseconds: number | null, arrived: number): RuleFacts['appointment'] {
  if (bookedMicroseconds === null) return null
  const late = (arrived - bookedMicroseconds) / 1e6
  return late > PUNCTUAL_SECONDS ? 'late' : late < -PUNCTUAL_SECONDS ? 'early' : 'on_time'
}

/** Minute of the day and ISO weekday where the site is. */
export function localTime(microseconds: number | null, timezone: string): Pick<RuleFacts, 'minute' | 'weekday'> {
  if (microseconds === null) return { minute: null, weekday: 0 }
  const local = Temporal.Instant.fromEpochMilliseconds(Math.floor(microseconds / 1000)).toZonedDateTimeISO(timezone)
  return { minute: local.hour * 60 + local.minute, weekday: local.dayOfWeek }
}
