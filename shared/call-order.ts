/** What a queue is worth to an agent, and how much of it the agent has had. */
interface Share {
  weight: number
  /** Calls by ratio so far, each worth 1 / weight. */
  pass: number
}
/** How an agent with several queues chooses between them. */
export interface CallingWay {
  queues: ReadonlyMap<number, Share>
  call_mode: 'weight' | 'ratio' | 'strict'
  max_wait_seconds: number | null
}

/** Compared from the left; the highest is called. */
export type Score = readonly [overdue: number, choice: number, wait: number]
export const NOTHING: Score = [-1, -Infinity, -Infinity]
export const compareScores = (a: Score, b: Score): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]

/** @returns how much an agent should call this head of a queue; who waits too long comes before every other reason */
export function scoreOf(
  { queues, call_mode, max_wait_seconds }: CallingWay,
  { queue_id, wait_seconds }: { queue_id: number; wait_seconds: number },
): Score {
  if (max_wait_seconds !== null && wait_seconds > max_wait_seconds) return [1, 0, wait_seconds]
  const { weight = 1, pass = 0 } = queues.get(queue_id) ?? {}
  if (call_mode === 'ratio') return [0, -pass, wait_seconds]
  return call_mode === 'strict' ? [0, weight, wait_seconds] : [0, weight * wait_seconds, 0]
}

/** Whether the agent has the skill a ticket needs and speaks its language. */
export const isSkilled = (
  { skills, languages }: { skills: readonly string[]; languages: readonly string[] | null },
  { required_skill, language }: { required_skill: string | null; language: string | null },
): boolean =>
  (required_skill === null || skills.includes(required_skill)) &&
  (language === null || languages === null || languages.includes(language))

/**
 * How far an agent's ratio has come after a call (stride scheduling, Waldspurger and Weihl 1995): the queue called moves
 * on by 1 / weight; a queue that had nobody to call does not save up the calls it missed.
 */
export function nextPasses(
  { queues }: Pick<CallingWay, 'queues'>,
  queueId: number,
): { queue_id: number; pass: number }[] {
  const called = queues.get(queueId)
  if (!called) return []
  return [...queues].flatMap(([queue_id, { pass, weight }]) => {
    const next = queue_id === queueId ? pass + 1 / weight : Math.max(pass, called.pass)
    return next === pass ? [] : [{ queue_id, pass: next }]
  })
}
