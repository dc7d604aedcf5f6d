/**
 * The queues of a place with agents of whom some serve several: each calls, when free, the one of the first people of the
 * queues served whom the agent's own way of calling puts first. Times are seconds from any common start.
 */
import { compareScores, isSkilled, nextPasses, NOTHING, scoreOf, type CallingWay, type Score } from '../call-order.ts'
import { Line, type Visit } from './day.ts'

/** Somebody who comes to one of the queues. */
export interface SiteVisit extends Omit<Visit, 'leaves_after'> {
  queue_id: number
  /** Since when the person waits: before `arrived_at` for those who wait already. */
  since: number
  required_skill: string | null
  language: string | null
  /** Kept for one agent. */
  reserved_for: number | null
}
/** An agent at work. */
export interface SiteDesk extends CallingWay {
  id: number
  /** Null is every skill: nobody knows yet who would sit there. */
  skills: readonly string[] | null
  languages: readonly string[] | null
  /** When the present service ends; 0 when there is none. */
  free_at: number
}
interface Called {
  visit: SiteVisit
  called_at: number
  ended_at: number
}

/** Those of one queue whom the same agents may call, in the order of service. */
interface Kind {
  sample: SiteVisit
  line: Line<SiteVisit>
}

/** The lines of a queue, parted by what an agent must have for each. */
class Kinds {
  #kinds = new Map<string, Kind>()
  #byDesk = new Map<number, Kind[]>()
  push(visit: SiteVisit): void {
    const key = `${visit.reserved_for} ${visit.language} ${visit.required_skill}`
    let kind = this.#kinds.get(key)
    if (!kind) {
      this.#kinds.set(key, (kind = { sample: visit, line: new Line() }))
      this.#byDesk.clear()
    }
    kind.line.push({ rank: visit.rank, id: visit.id, visit })
  }
  /** The line whose head this agent would call first. */
  headFor(desk: SiteDesk): Line<SiteVisit> | undefined {
    let own = this.#byDesk.get(desk.id)
    if (!own) {
      own = [...this.#kinds.values()].filter(({ sample }) => mayCall(desk, sample))
      this.#byDesk.set(desk.id, own)
    }
    let best: Line<SiteVisit> | undefined
    for (const { line } of own) {
      const head = line.peek()
      const other = best?.peek()
      if (head && (!other || head.rank < other.rank || (head.rank === other.rank && head.id < other.id))) best = line
    }
    return best
  }
  *left(): Iterable<SiteVisit> {
    for (const { line } of this.#kinds.values()) for (const { visit } of line.items) yield visit
  }
}
const mayCall = (desk: SiteDesk, visit: SiteVisit): boolean =>
  visit.reserved_for === null
    ? isSkilled(
        { ...desk, skills: desk.skills ?? (visit.required_skill === null ? [] : [visit.required_skill]) },
        visit,
      )
    : visit.reserved_for === desk.id

/**
 * Plays a rest of a day. Of several free agents the one who has been free longest calls first.
 * @param visits in the order of `arrived_at`
 * @param until nobody is called from then on; Infinity serves everybody whom somebody may call
 */
export function playSite(
  visits: readonly SiteVisit[],
  desks: readonly SiteDesk[],
  until = Infinity,
): { called: Called[]; unserved: SiteVisit[] } {
  const queues = new Map<number, Kinds>()
  const called: Called[] = []
  const staff = desks.map((desk) => ({ ...desk, queues: new Map(desk.queues) }))
  let idle = staff.filter(({ free_at }) => free_at <= 0).sort((a, b) => a.id - b.id)
  let busy = staff.filter(({ free_at }) => free_at > 0).sort((a, b) => a.free_at - b.free_at)
  let coming = 0
  /** The next call of an agent who is free, or undefined when nobody waits for that agent. */
  const choose = (desk: SiteDesk, now: number): Line<SiteVisit> | undefined => {
    let best: Line<SiteVisit> | undefined
    let bestScore: Score = NOTHING
    for (const [queue_id, kinds] of queues) {
      const line = kinds.headFor(desk)
      const head = line?.peek()
      if (!head || (!desk.queues.has(queue_id) && head.visit.reserved_for !== desk.id)) continue
      const score = scoreOf(desk, { queue_id, wait_seconds: now - head.visit.since })
      const order = compareScores(score, bestScore)
      if (order > 0 || (order === 0 && (best?.peek()?.rank ?? Infinity) > head.rank)) {
        best = line
        bestScore = score
      }
    }
    return best
  }
  for (;;) {
    const now = Math.min(busy[0]?.free_at ?? Infinity, visits[coming]?.arrived_at ?? Infinity)
    if (now === Infinity || now >= until) break
    while (busy.length && busy[0]!.free_at <= now) idle.push(busy.shift()!)
    while (coming < visits.length && visits[coming]!.arrived_at <= now) {
      const visit = visits[coming++]!
      let kinds = queues.get(visit.queue_id)
      if (!kinds) queues.set(visit.queue_id, (kinds = new Kinds()))
      kinds.push(visit)
    }
    const still: typeof idle = []
    for (const desk of idle) {
      const line = choose(desk, now)
      if (!line) {
        still.push(desk)
        continue
      }
      const { visit } = line.pop()!
      desk.free_at = now + visit.service_seconds
      called.push({ visit, called_at: now, ended_at: desk.free_at })
      if (desk.call_mode === 'ratio') {
        for (const { queue_id, pass } of nextPasses(desk, visit.queue_id))
          desk.queues.set(queue_id, { ...desk.queues.get(queue_id)!, pass })
      }
      let i = busy.length
      while (i > 0 && busy[i - 1]!.free_at > desk.free_at) i--
      busy = busy.toSpliced(i, 0, desk)
    }
    idle = still
  }
  const unserved = [...queues.values()].flatMap((kinds) => [...kinds.left()])
  // Who comes before the doors close, after the last event that was played.
  for (; coming < visits.length && visits[coming]!.arrived_at < until; coming++) unserved.push(visits[coming]!)
  return { called, unserved }
}
