import type { Algorithm, AlgorithmSettings, RankedTicket } from './algorithm.ts'

const SECOND = 1e6

/** First come, first served. */
export const fifo: Algorithm = () => ({ offset: 0 })

/**
 * Worth of one class in microseconds: 3.17 years. Nobody waits that long, so a higher class is served before a lower
 * one however long that has waited, and nine classes still keep the rank a positive safe integer.
 */
const CLASS_MICROSECONDS = 1e14
/** A higher class is served first; within a class by arrival. A low class may wait for ever. */
export const priority: Algorithm = (ticket) => ({ offset: -ticket.priority * CLASS_MICROSECONDS || 0 })

const DEFAULT_BOOST_SECONDS = 600
/**
 * Each class is worth so much waiting time. The order is that of `arrival − boost × class`, which is the order of
 * `wait + boost × class` at every moment (Kleinrock's delay-dependent priorities with equal slopes, Queueing Systems II
 * §3.7): nobody is overtaken by who comes more than nine boosts later.
 */
export const aging: Algorithm = (ticket, { boost_seconds = DEFAULT_BOOST_SECONDS }) => ({
  offset: -ticket.priority * boost_seconds * SECOND || 0,
})

const DEFAULT_TARGETS_SECONDS = [1800, 1200, 900, 600, 300]
const targetSeconds = ({ targets_seconds = DEFAULT_TARGETS_SECONDS }: AlgorithmSettings, { priority }: RankedTicket) =>
  targets_seconds[Math.min(priority, targets_seconds.length - 1)] ?? 0
/** Earliest deadline first (Liu and Layland 1973): each class has a time within which it is to be called. */
export const sla: Algorithm = (ticket, settings) => ({ offset: targetSeconds(settings, ticket) * SECOND })

/** A call of a share with weight 1, in virtual microseconds; whole for every weight up to 10. */
const QUANTUM = 2520e4
const shareName: NonNullable<Algorithm['shareOf']> = (ticket, { share_by = 'priority' }) => String(ticket[share_by])
/**
 * Self-clocked fair queueing (Golestani, INFOCOM 1994): each ticket gets the virtual time at which its share would be
 * served if all shares were served at once in their ratio. While two shares both wait, calls follow their weights within
 * one ticket; a share that was away does not save up what it did not use. The virtual time is that of the first who waits;
 * an empty line begins anew with everybody equal.
 */
export const fairShare: Algorithm = Object.assign(
  ((ticket, settings, { head, finishes }) => {
    const share = shareName(ticket, settings)
    const now = head ?? Math.max(ticket.arrived_at, ...Object.values(finishes))
    const start = Math.max(now, finishes[share] ?? now)
    return { at: start + Math.round(QUANTUM / (settings.shares?.[share] ?? 1)) }
  }) satisfies Algorithm,
  { shareOf: shareName },
)

const DEFAULT_LATE_SECONDS = 900
/**
 * Booked people stand among the others as if they had come `lead_seconds` before the booked time, however early they
 * came; walk-ins stand by arrival. Classes count as with `aging`, but are worth nothing unless `boost_seconds` says so.
 */
export const appointment: Algorithm = (ticket, settings) => {
  const { boost_seconds = 0, lead_seconds = 0, late_after_seconds = DEFAULT_LATE_SECONDS } = settings
  const boost = ticket.priority * boost_seconds * SECOND
  const booked = ticket.appointment_at
  if (booked === null) return { offset: -boost || 0 }
  const isLate = ticket.arrived_at > booked + late_after_seconds * SECOND
  if (!isLate || settings.late === 'keep') return { at: booked - lead_seconds * SECOND - boost }
  const penalty = settings.late === 'penalty' ? (settings.penalty_seconds ?? 0) * SECOND : 0
  return { offset: penalty - boost || 0 }
}
