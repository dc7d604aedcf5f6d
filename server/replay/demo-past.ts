import { ApiClient, type ClientOptions } from './client.ts'
import { castTenant } from './demo-cast.ts'
import { CHANNELS, GOLDEN, NO_SHOW_EVERY, WALK_SECONDS, type DemoAgent, type DemoPart } from './demo-plan.ts'
import { simulate } from './oracle.ts'
import { DAY_SECONDS } from './staffing.ts'

/** Part of the day's visitors who come on each weekday, Monday first. */
const WEEK = [1, 0.85, 0.9, 0.8, 0.95, 0.6, 0] as const
const RATED_EVERY = 4
const RATINGS = [5, 4, 5, 3, 5, 4, 4, 2, 5] as const

/** A visit that ended, in seconds since midnight at its site. */
interface PastVisit {
  queue_id: number
  agent_id: number | null
  serial: number
  channel: string
  arrived: number
  called: number | null
  started: number | null
  ended: number
  status: 'terminé' | 'absent' | 'annulé'
  rating: number | null
}

/** Other people of the real day on each date, who wait as a simulation of the counters has them wait. */
function visitsOf(parts: readonly DemoPart[], agents: readonly DemoAgent[], day: Temporal.PlainDate): PastVisit[] {
  // Each date has people of its own, as many as its weekday wants.
  const dateShift = (day.dayOfYear * GOLDEN) % 1
  const visits = parts.flatMap(({ queueId, plan }) => {
    const coming = plan.visits.filter((_, n) => (n * GOLDEN + dateShift) % 1 < WEEK[day.dayOfWeek - 1]!)
    return simulate(coming, plan.staffing).flatMap((outcome, n): PastVisit[] => {
      const { arrival_s, index } = coming[n]!
      const arrived = arrival_s % DAY_SECONDS
      if (!outcome) return []
      const later = (at_s: number) => arrived + at_s - arrival_s
      const isAway = outcome.start_s !== null && index % NO_SHOW_EVERY === 0
      const called = outcome.start_s === null ? null : later(outcome.start_s)
      const started = called === null || isAway ? null : called + WALK_SECONDS
      const rating =
        started !== null && index % RATED_EVERY === 0 ? RATINGS[(index / RATED_EVERY) % RATINGS.length]! : null
      return [
        {
          queue_id: queueId,
          agent_id: null,
          serial: n + 1,
          channel: CHANNELS[index % CHANNELS.length]!,
          arrived,
          called,
          started,
          ended: later(outcome.end_s) + (started === null ? 0 : WALK_SECONDS),
          status: called === null ? 'annulé' : isAway ? 'absent' : 'terminé',
          rating,
        },
      ]
    })
  })
  return served(visits, agents)
}

/** Gives each call to the agent of its queue who has been free for longest. */
function served(visits: PastVisit[], agents: readonly DemoAgent[]): PastVisit[] {
  const freeAt = new Map(agents.map(({ id }) => [id, 0]))
  for (const visit of visits.toSorted((a, b) => (a.called ?? 0) - (b.called ?? 0))) {
    if (visit.called === null) continue
    const team = agents.filter(({ queueIds }) => queueIds.includes(visit.queue_id))
    const [first] = team.toSorted((a, b) => freeAt.get(a.id)! - freeAt.get(b.id)!)
    if (!first) continue
    visit.agent_id = first.id
    freeAt.set(first.id, visit.ended)
  }
  return visits
}

interface DemoPast {
  visitsOn(day: Temporal.PlainDate): PastVisit[]
  /** Adds the days up for analytics. */
  addUp(from: Temporal.PlainDate, to: Temporal.PlainDate): Promise<unknown>
}

/** What the days before would have been like in a tenant of the demo, for its queues and agents. */
export async function planDemoPast(options: ClientOptions): Promise<DemoPast> {
  const client = new ApiClient(options)
  const { parts, agents } = await castTenant(client, () => true)
  return {
    visitsOn: (day) => visitsOf(parts, agents, day),
    addUp: (from, to) => client.post('demo', '/analytics/aggregate/', { from: from.toString(), to: to.toString() }),
  }
}
