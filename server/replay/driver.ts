import { callNext, complete, leave, type Seat, setStatus, start, take } from './actors.ts'
import type { ApiClient } from './client.ts'
import { Heap } from './heap.ts'
import { countRefusal, newLog, type Log, type Stage, type Stay } from './log.ts'
import type { Pacer } from './pacer.ts'
import type { PlannedVisit } from './plan.ts'
import type { StaffingStep } from './staffing.ts'
import type { VisitorSample } from './visitors.ts'

export interface DriverOptions {
  /** Free agents beyond the number of waiting tickets that call all the same, to race for them. */
  racers: number
  /** How long a console waits for its feed to show a newcomer before it is called unseen. */
  patienceMs: number
  visitors: VisitorSample
  onInstant?: (log: Log, waiting: number, serving: number) => void
}

type Event =
  | {
      at_s: number
      phase: 0
      stage: Play
      agent: Agent
      stay: Stay | null
      ticketId: number
      started: Promise<unknown>
    }
  | { at_s: number; phase: 1; stage: Play; step: StaffingStep }
  | { at_s: number; phase: 2; stage: Play; visit: PlannedVisit }
  | { at_s: number; phase: 3; stage: Play; stay: Stay }

interface Agent extends Seat {
  state: 'off' | 'idle' | 'busy'
}
interface Play extends Stage {
  agents: Agent[]
  open: number
  waiting: Map<number, Stay>
}

/** An idle system and nothing to happen for this long: the night is jumped over. */
const QUIET_SECONDS = 900
const MAX_EMPTY_ROUNDS = 20
/** How long somebody is served who is not of the trace: the queue is open to others too. */
const STRANGER_SECONDS = 60

/**
 * Plays the stages. Virtual time moves from one instant to the next; all requests of an instant run at once and the clock
 * stands until each is answered, so waits are exact however slow the server is, and free agents truly race.
 *
 * Within an instant, as in the oracle: services end, counters open and close, visitors arrive, free agents call, and last
 * those leave whose patience ends.
 */
export async function drive(
  client: ApiClient,
  stages: readonly Stage[],
  pacer: Pacer,
  options: DriverOptions,
): Promise<Log> {
  const log = newLog()
  const calledTickets = new Set<number>()
  const events = new Heap<Event>((a, b) => (a.at_s === b.at_s ? a.phase < b.phase : a.at_s < b.at_s))
  const plays = stages.map((stage): Play => ({
    ...stage,
    agents: stage.seats.map((seat) => ({ ...seat, state: 'off' })),
    open: 0,
    waiting: new Map(),
  }))
  let toArrive = 0
  let serving = 0
  let waiting = 0
  for (const stage of plays) {
    for (const step of stage.plan.staffing) events.push({ at_s: step.at_s, phase: 1, stage, step })
    for (const visit of stage.plan.visits) events.push({ at_s: visit.arrival_s, phase: 2, stage, visit })
    toArrive += stage.plan.visits.length
  }

  const attempt = <T>(act: string, promise: Promise<T>) => countRefusal(log, act, promise)
  const onDuty = (stage: Play) => stage.agents.filter((agent) => agent.state !== 'off').length
  async function goOff(stage: Play, agent: Agent): Promise<void> {
    agent.state = 'off'
    await attempt('agent status', setStatus(client, agent, stage.open > 0 ? 'break' : 'offline'))
  }
  async function goOn(agent: Agent): Promise<void> {
    agent.state = 'idle'
    await attempt('agent status', setStatus(client, agent, 'available'))
  }

  async function arrive(stage: Play, visits: readonly PlannedVisit[]): Promise<void> {
    await Promise.all(
      visits.map(async (visit) => {
        toArrive--
        const ticket = await attempt('take', take(client, stage.queueId, visit.priority))
        if (!ticket) return
        const stay: Stay = { queueId: stage.queueId, visit, ticket, outcome: null }
        log.stays.push(stay)
        stage.waiting.set(ticket.id, stay)
        waiting++
        if (visit.leaves_s !== null) events.push({ at_s: visit.leaves_s, phase: 3, stage, stay })
        await options.visitors.offer(ticket)
        // A console knows of a newcomer through its feed, never by being told.
        if (!(await stage.feed.until(ticket.id, 'ticket.created', options.patienceMs))) log.unseen++
      }),
    )
  }

  async function staff(stage: Play, open: number): Promise<void> {
    stage.open = open
    const idle = stage.agents.filter((agent) => agent.state === 'idle')
    const off = stage.agents.filter((agent) => agent.state === 'off')
    const change = open - onDuty(stage)
    if (change > 0) await Promise.all(off.slice(0, change).map(goOn))
    else await Promise.all(idle.slice(0, -change).map((agent) => goOff(stage, agent)))
  }

  async function finish(event: Extract<Event, { phase: 0 }>): Promise<void> {
    const { stage, agent, stay, ticketId, started } = event
    await started
    await attempt('complete', complete(client, ticketId))
    serving--
    if (stay) log.served++
    if (onDuty(stage) > stage.open) await goOff(stage, agent)
    else agent.state = 'idle'
  }

  /** One agent asks for the next ticket and, when there is one, receives the person at once. */
  async function call(stage: Play, agent: Agent): Promise<boolean> {
    const ticket = await attempt('call next', callNext(client, agent.id))
    if (!ticket) return false
    agent.state = 'busy'
    serving++
    if (calledTickets.has(ticket.id)) log.doubleCalls++
    calledTickets.add(ticket.id)
    const stay = stage.waiting.get(ticket.id) ?? null
    if (stay) {
      log.called++
      log.waitedSeconds += log.now - stay.visit.arrival_s
      waiting--
      stage.waiting.delete(ticket.id)
      stay.outcome = { start_s: log.now, end_s: log.now + stay.visit.service_s }
    }
    // Nobody but this agent waits for the start, so the clock need not stand still for it.
    const started = attempt('start', start(client, ticket.id))
    started.catch(() => {})
    const end_s = stay?.outcome?.end_s ?? log.now + STRANGER_SECONDS
    events.push({ at_s: end_s, phase: 0, stage, agent, stay, ticketId: ticket.id, started })
    return true
  }

  async function callAll(stage: Play): Promise<void> {
    for (let emptyRounds = 0; stage.waiting.size > 0 && emptyRounds < MAX_EMPTY_ROUNDS;) {
      const idle = stage.agents.filter((agent) => agent.state === 'idle')
      if (idle.length === 0) return
      const racing = idle.slice(0, stage.waiting.size + options.racers)
      const won = (await Promise.all(racing.map((agent) => call(stage, agent)))).filter(Boolean).length
      if (won > 0) continue
      log.missedCalls++
      emptyRounds++
    }
  }

  async function giveUp(stage: Play, stay: Stay): Promise<void> {
    if (stay.outcome) return
    const answer = await attempt(
      'leave',
      leave(client, stay.ticket).then(() => true),
    )
    if (!answer) return
    stage.waiting.delete(stay.ticket.id)
    waiting--
    log.left++
    stay.outcome = { start_s: null, end_s: log.now }
  }

  /** Takes the events of this instant that are of this phase. */
  function due<P extends Event['phase']>(phase: P): Extract<Event, { phase: P }>[] {
    const taken: Event[] = []
    for (let next = events.peek(); next && next.at_s === log.now && next.phase === phase; next = events.peek())
      taken.push(events.pop() as Event)
    return taken as Extract<Event, { phase: P }>[]
  }

  while (toArrive > 0 || waiting > 0 || serving > 0) {
    const next = events.peek()
    if (!next) break
    if (waiting === 0 && serving === 0 && log.now > 0 && next.at_s - log.now > QUIET_SECONDS)
      pacer.skip(log.now, next.at_s)
    else await pacer.reach(next.at_s)
    log.now = next.at_s
    while (events.peek()?.at_s === log.now && (events.peek() as Event).phase < 3) {
      await Promise.all(due(0).map(finish))
      // The last figure of an instant counts.
      const steps = Map.groupBy(due(1), (event) => event.stage)
      await Promise.all(
        [...steps].map(([stage, group]) => staff(stage, (group.at(-1) as (typeof group)[number]).step.open)),
      )
      const arrivals = Map.groupBy(due(2), (event) => event.stage)
      await Promise.all(
        [...arrivals].map(([stage, group]) =>
          arrive(
            stage,
            group.map((event) => event.visit),
          ),
        ),
      )
      await Promise.all(plays.map(callAll))
    }
    await Promise.all(due(3).map((event) => giveUp(event.stage, event.stay)))
    options.onInstant?.(log, waiting, serving)
  }
  await Promise.all(
    plays.flatMap((stage) =>
      stage.agents.filter((agent) => agent.state !== 'off').map((agent) => ((stage.open = 0), goOff(stage, agent))),
    ),
  )
  return log
}
