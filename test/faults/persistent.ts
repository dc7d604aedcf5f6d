import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Api } from './api.ts'

/** What became of the requests of a run. */
export interface RequestCounts {
  requests: number
  /** Attempts whose connection ended before the answer: nothing tells whether the work was done. */
  unanswered: number
  /** Attempts answered 503: most were not done, but COMMIT may have left. */
  unavailable: number
  /** Requests with such an attempt, by what their key's replay told: it had been done, or was only done then. */
  wasDone: number
  wasNotDone: number
  /** Repetitions of answered keys that did not bring the same bytes. */
  differing: number
  /** Answers 500: failures nobody thought of. */
  internal: number
  /** Requests that found no end in a minute. */
  unresolved: number
}

const GIVE_UP_MS = 60_000
/** One in so many answered keys is sent again, to see the same bytes come back. */
const REPEAT_EVERY = 50

/** Posts until an answer is certain, always with the same key, to whichever server is there. */
export class PersistentClient {
  readonly counts: RequestCounts = {
    requests: 0,
    unanswered: 0,
    unavailable: 0,
    wasDone: 0,
    wasNotDone: 0,
    differing: 0,
    internal: 0,
    unresolved: 0,
  }
  /** An answer 5xx that is not "unavailable". */
  firstFailure: string | null = null
  #apis: readonly Api[]
  #random: () => number

  constructor(apis: readonly Api[], random: () => number) {
    this.#apis = apis
    this.#random = random
  }

  /** The final answer, or null after a minute without one. */
  async post(path: string, token: string, input: object = {}): Promise<Answer | null> {
    const { counts } = this
    const key = randomUUID()
    const started = performance.now()
    counts.requests++
    const first = Math.floor(this.#random() * this.#apis.length)
    let isUnknown = false
    for (let attempt = 0; performance.now() - started < GIVE_UP_MS; attempt++) {
      const answer = await this.#send(first + attempt, path, token, input, key)
      if (!answer || answer.status >= 500) {
        counts[!answer ? 'unanswered' : answer.status === 503 ? 'unavailable' : 'internal']++
        if (answer && answer.status !== 503) this.firstFailure ??= `POST ${path}: ${answer.status} ${answer.body}`
        isUnknown = true
      } else if (!isInFlight(answer)) {
        if (isUnknown) counts[answer.isReplay ? 'wasDone' : 'wasNotDone']++
        if (counts.requests % REPEAT_EVERY === 0) await this.#repeat(path, token, input, key, answer)
        return answer
      }
      await sleep(10 + this.#random() * 60)
    }
    counts.unresolved++
    return null
  }

  /** One request without a key; null when the connection ended before the answer. */
  attempt(path: string, token: string, input: object): Promise<Answer | null> {
    return this.#send(Math.floor(this.#random() * this.#apis.length), path, token, input)
  }

  /** Servers are taken by turns: who got no answer asks the next one. */
  #send(turn: number, path: string, token: string, input: object, key?: string): Promise<Answer | null> {
    return this.#apis[turn % this.#apis.length]!.post(path, token, input, key).catch(() => null)
  }

  async #repeat(path: string, token: string, input: object, key: string, { status, body }: Answer) {
    const again = await this.#send(0, path, token, input, key)
    if (!again || again.status >= 500) return
    if (!again.isReplay || again.status !== status || again.body !== body) this.counts.differing++
  }
}

const isInFlight = ({ status, body }: Answer) => status === 409 && body.includes('"idempotency_in_flight"')
