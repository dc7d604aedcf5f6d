import { diceOf } from '../../../shared/staffing/dice.ts'
import { playSite, type SiteDesk, type SiteVisit } from '../../../shared/staffing/site.ts'
import { absoluteRank, rankOf } from '../queues/index.ts'
import { MOST_VISITS, type DeskOutlook, type Outlook } from './outlook.ts'

/** Days played for one answer; more change the figures by less than a minute. */
const ROUNDS = 40

/** One possible rest of the day, of the queue asked about. */
interface Round {
  /** Waits of everybody called: those here already with what they have waited, and who came during the horizon. */
  waits: number[]
  /** When the last one was served, in seconds from now; 0 when nobody is here or comes. */
  last_ended: number
  unserved: number
}
const exponential = (dice: () => number, mean: number) => -Math.log(dice()) * mean

/**
 * Plays what is likely to follow, `ROUNDS` times, in all queues that share agents with the one asked about: those who wait
 * by their real ranks, newcomers by their queue's own order, by chance at the forecast rate, services by chance around the
 * present pace, calls by each agent's own way of choosing between queues. The same dice for every number of counters, so
 * that two answers differ by the counters and nothing else.
 * @param counters who serve the queue: others than now serve it alone
 * @param horizon seconds during which people still come
 * @param until seconds after which nobody is called; Infinity serves everybody
 */
export function playOutlook(outlook: Outlook, counters: number, horizon: number, until = Infinity): Round[] {
  const staff = desksFor(outlook, counters)
  const others = [...outlook.queues.keys()].filter((id) => id !== outlook.queue_id).sort((a, b) => a - b)
  const queueIds = [outlook.queue_id, ...others]
  return Array.from({ length: ROUNDS }, (_, round) => {
    const visits = queueIds.flatMap((id, stream) =>
      visitsOf(outlook, id, diceOf(round * 1000 + stream + 1_000_000), horizon),
    )
    visits.sort((a, b) => a.arrived_at - b.arrived_at || a.id - b.id)
    const dice = diceOf(round + 1)
    const desks = staff.map((desk): SiteDesk & DeskOutlook => {
      const seconds = desk.serving === null ? null : (outlook.queues.get(desk.serving)?.service_seconds ?? null)
      // Services that go on end by chance too.
      return { ...desk, free_at: seconds === null ? 0 : exponential(dice, seconds) }
    })
    const { called, unserved } = playSite(visits, desks, until)
    const own = called.filter(({ visit }) => visit.queue_id === outlook.queue_id)
    const ongoing = desks.filter(({ serving }) => serving === outlook.queue_id)
    return {
      waits: own.map(({ visit, called_at }) => called_at - visit.since),
      last_ended: Math.max(0, ...own.map(({ ended_at }) => ended_at), ...ongoing.map(({ free_at }) => free_at)),
      unserved: unserved.filter(({ queue_id }) => queue_id === outlook.queue_id).length,
    }
  })
}

/** One more counter serves this queue alone; one less is whoever serves the fewest others, free before busy. */
function desksFor({ queue_id, desks, counters: present }: Outlook, counters: number): DeskOutlook[] {
  if (counters < present) {
    const leaving = desks
      .filter(({ queues }) => queues.has(queue_id))
      .sort(
        (a, b) =>
          a.queues.size - b.queues.size || Number(a.serving !== null) - Number(b.serving !== null) || b.id - a.id,
      )
      .slice(0, present - counters)
    return desks.filter((desk) => !leaving.includes(desk))
  }
  const more = Array.from({ length: counters - present }, (_, i): DeskOutlook => ({
    id: -i - 1,
    queues: new Map([[queue_id, { weight: 1, pass: 0 }]]),
    call_mode: 'weight',
    max_wait_seconds: null,
    skills: null,
    languages: null,
    serving: null,
  }))
  return [...desks, ...more]
}

/** Who waits in a queue and who comes, as the dice of the round fall for this queue. */
function visitsOf(outlook: Outlook, queueId: number, dice: () => number, horizon: number): SiteVisit[] {
  const { config, service_seconds, waiting, rate } = outlook.queues.get(queueId)!
  const now = Number(Temporal.Instant.from(outlook.now).epochNanoseconds / 1000n)
  const visits = waiting.map(({ waited, ...one }): SiteVisit => {
    const seconds = exponential(dice, service_seconds)
    return { ...one, arrived_at: 0, since: -waited, service_seconds: seconds }
  })
  let at = 0
  for (let n = 1; visits.length < MOST_VISITS; n++) {
    // Thinning by steps of a minute: nobody comes while the rate is 0.
    let wanted = exponential(dice, 1)
    while (at < horizon && wanted > 0) {
      const perSecond = rate(at)
      const step = perSecond > 0 ? Math.min(60, wanted / perSecond) : 60
      wanted -= perSecond * step
      at += step
      if (perSecond > 0 && wanted <= 1e-12) wanted = 0
    }
    if (at >= horizon) break
    const arrived_at = now + Math.round(at * 1e6)
    const ranked = { priority: 0, channel: 'kiosk', appointment_at: null, arrived_at }
    visits.push({
      id: Number.MAX_SAFE_INTEGER - MOST_VISITS + n,
      queue_id: queueId,
      arrived_at: at,
      since: at,
      service_seconds: exponential(dice, service_seconds),
      rank: absoluteRank(rankOf(config, ranked), arrived_at),
      required_skill: null,
      language: null,
      reserved_for: null,
    })
  }
  return visits
}

/** How many of those who wait now or come until closing time would not be served; all where nobody calls, none where it does not close. */
export function unservedIn(outlook: Outlook): number {
  const { counters, waiting, seconds_to_close } = outlook
  if (counters === 0) return waiting.length
  if (seconds_to_close === null) return 0
  return median(playOutlook(outlook, counters, seconds_to_close, seconds_to_close).map((round) => round.unserved))
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
