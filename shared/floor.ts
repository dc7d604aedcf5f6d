/** What a supervisor's floor follows from: targets of a line, and alerts with the act that answers each. */

export interface FloorQueue {
  id: number
  is_active: boolean
  goal_seconds: number
  goal_percent: number
  max_capacity: number | null
  waiting: number
  waiting_since: string | null
  eta_seconds: number | null
  agents_open: number
  service_seconds: number | null
  came_today: number
  left_today: number
  /** Counters the present half hour needs; null when unknown. */
  needed: number | null
  /** People who would still wait at closing time; null while unknown. */
  unserved: number | null
}
interface FloorAgent {
  id: number
  status: string
  counter_id: number | null
  queue_ids: readonly number[]
  expected_return_at: string | null
}
interface FloorDevice {
  id: number
  is_online: boolean
  last_seen_at: string | null
  paper: string | null
  sound: string | null
  is_pin_guessed: boolean
}
export interface FloorFacts {
  queues: readonly FloorQueue[]
  agents: readonly FloorAgent[]
  devices: readonly FloorDevice[]
  /** Counters with nobody at them. */
  free_counter_ids: readonly number[]
}

/** What a line's five figures should not pass; of counters, should not fall short of. Null: there is no measure. */
export interface Targets {
  waiting: number | null
  longest_seconds: number
  eta_seconds: number
  agents_open: number | null
  left: number
}
/**
 * The queue's own goal, carried over to each figure: as many may wait as the open counters call within the goal, and
 * no more may leave than the share that the goal leaves out.
 */
export function targetsOf(queue: FloorQueue): Targets {
  const { goal_seconds, goal_percent, service_seconds, agents_open, max_capacity, came_today } = queue
  const servable = service_seconds ? Math.floor((goal_seconds * agents_open) / service_seconds) : null
  const waiting = [servable, max_capacity].filter((each) => each !== null)
  return {
    waiting: waiting.length > 0 ? Math.min(...waiting) : null,
    longest_seconds: goal_seconds,
    eta_seconds: goal_seconds,
    agents_open: queue.needed,
    left: Math.floor((came_today * (100 - goal_percent)) / 100),
  }
}

export type FloorAct =
  | { kind: 'open_counter'; agent_id: number; counter_id: number }
  | { kind: 'move_agent'; agent_id: number; queue_id: number }
  | { kind: 'stop_intake'; queue_id: number }
  | { kind: 'raise_limit'; queue_id: number }
  | { kind: 'devices' }
type AlertKind = 'wait' | 'staff' | 'unserved' | 'full' | 'offline' | 'paper' | 'sound' | 'pin'
export interface Alert {
  /** Names it for everybody: `wait:12`. */
  name: string
  kind: AlertKind
  /** Of the queue or the device. */
  subject: number
  /** Longest wait, counters missing, people not served: what the sentence counts. */
  count: number
  act: FloorAct
}

/** The cheapest help: an idle colleague of another line, then who is in the back office or on a break, then who is away. */
function helpFor(facts: FloorFacts, queueId: number): FloorAct {
  const { agents, queues, free_counter_ids } = facts
  const busy = new Set(queues.filter(({ waiting }) => waiting > 0).map(({ id }) => id))
  const idle = agents.find(
    ({ status, queue_ids }) =>
      status === 'available' && !queue_ids.includes(queueId) && !queue_ids.some((id) => busy.has(id)),
  )
  if (idle) return { kind: 'move_agent', agent_id: idle.id, queue_id: queueId }
  for (const status of ['back_office', 'break', 'offline']) {
    const agent = agents.find((each) => each.status === status && each.queue_ids.includes(queueId))
    const counter_id = agent && (agent.counter_id ?? free_counter_ids[0])
    if (agent && counter_id) return { kind: 'open_counter', agent_id: agent.id, counter_id }
  }
  return { kind: 'stop_intake', queue_id: queueId }
}

/**
 * Everything that wants an act now, worst first.
 * @param now milliseconds since 1970
 */
export function alertsOf(facts: FloorFacts, now: number): Alert[] {
  const alerts: Alert[] = []
  for (const queue of facts.queues) {
    const { id, waiting, waiting_since, goal_seconds, needed, agents_open, unserved, is_active, max_capacity } = queue
    const longest = waiting_since === null ? 0 : Math.floor((now - Date.parse(waiting_since)) / 1000)
    if (longest > goal_seconds)
      alerts.push({ name: `wait:${id}`, kind: 'wait', subject: id, count: longest, act: helpFor(facts, id) })
    else if (needed !== null && waiting > 0 && agents_open < needed)
      alerts.push({
        name: `staff:${id}`,
        kind: 'staff',
        subject: id,
        count: needed - agents_open,
        act: helpFor(facts, id),
      })
    if (unserved !== null && unserved > 0 && is_active) {
      const act: FloorAct = { kind: 'stop_intake', queue_id: id }
      alerts.push({ name: `unserved:${id}`, kind: 'unserved', subject: id, count: unserved, act })
    }
    if (max_capacity !== null && waiting >= max_capacity && is_active)
      alerts.push({
        name: `full:${id}`,
        kind: 'full',
        subject: id,
        count: waiting,
        act: { kind: 'raise_limit', queue_id: id },
      })
  }
  for (const { id, is_online, last_seen_at, paper, sound, is_pin_guessed } of facts.devices) {
    const act: FloorAct = { kind: 'devices' }
    // Whoever tries keys is still there when the paper is out.
    if (is_pin_guessed) alerts.push({ name: `pin:${id}`, kind: 'pin', subject: id, count: 0, act })
    const kind =
      !is_online && last_seen_at !== null ? 'offline' : paper === 'out' ? 'paper' : sound === 'locked' ? 'sound' : null
    if (kind) alerts.push({ name: `${kind}:${id}`, kind, subject: id, count: 0, act })
  }
  return alerts
}
