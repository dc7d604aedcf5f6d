/** A change shown before the server has agreed to it. */
export interface OptimisticAct<View, Event, Result> {
  /** The view as it will be. Called again for every newer view until the act is settled, so it must not assume much. */
  apply(view: View): View
  /** Sends the request with this `Idempotency-Key`. Called again with the same key when it throws what may be repeated. */
  send(idempotencyKey: string): Promise<Result>
  /**
   * Is this the event by which the server tells of the act? It takes the place of what was shown. Events that came before
   * the answer are asked about again after it.
   */
  isTold(event: Event): boolean
  /** Whether a failed `send` may have been lost on the way; default: errors without a `status`, and 502 to 504. */
  mayRepeat?(error: unknown): boolean
}

const MAX_TRIES = 4
const FIRST_PAUSE_MS = 300
/** An act whose event does not come (it belongs to another feed) is shown so long after the answer. */
const UNTOLD_MS = 5000

interface Pending<View, Event> {
  apply(view: View): View
  isTold(event: Event): boolean
  isAnswered: boolean
  /** Events since it was shown, until its answer: only that may say which of them tells of the act. */
  seen: Event[]
}

/**
 * What is shown while requests are on their way: the view that frames led to, with every unsettled act on top of it. A
 * refusal takes the act away; the event that tells of it takes its place.
 */
export class Optimism<View, Event> {
  #view: View | null = null
  #pending: Pending<View, Event>[] = []
  #onChange: (view: View) => void

  constructor(onChange: (view: View) => void) {
    this.#onChange = onChange
  }

  get shown(): View | null {
    if (this.#view === null) return null
    let shown: View = this.#view as View
    for (const act of this.#pending) shown = act.apply(shown)
    return shown
  }

  /** A newer view: by `event`, or by a snapshot (null), which includes every act that was answered before. */
  confirm(view: View, event: Event | null): void {
    this.#view = view
    this.#pending = this.#pending.filter((act) => (event === null ? !act.isAnswered : !act.isTold(event)))
    if (event !== null) for (const act of this.#pending) if (!act.isAnswered) act.seen.push(event)
  }

  /** Shows the act at once and sends it. Rejects with the refusal, after what was shown has been taken back. */
  async act<Result>(act: OptimisticAct<View, Event, Result>): Promise<Result> {
    const pending: Pending<View, Event> = {
      apply: (view) => act.apply(view),
      isTold: (event) => act.isTold(event),
      isAnswered: false,
      seen: [],
    }
    this.#pending.push(pending)
    this.#tell()
    try {
      const result = await send(act)
      pending.isAnswered = true
      const wasTold = pending.seen.splice(0).some((event) => act.isTold(event))
      if (wasTold) this.#drop(pending)
      else if (this.#pending.includes(pending)) setTimeout(() => this.#drop(pending), UNTOLD_MS)
      return result
    } catch (error) {
      this.#drop(pending)
      throw error
    }
  }

  #drop(pending: Pending<View, Event>) {
    if (!this.#pending.includes(pending)) return
    this.#pending = this.#pending.filter((other) => other !== pending)
    this.#tell()
  }

  #tell() {
    if (this.shown !== null) this.#onChange(this.shown)
  }
}

async function send<Result>({
  send: request,
  mayRepeat = isLost,
}: Pick<OptimisticAct<never, never, Result>, 'send' | 'mayRepeat'>): Promise<Result> {
  const key = crypto.randomUUID()
  for (let attempt = 1; ; attempt++) {
    try {
      return await request(key)
    } catch (error) {
      if (attempt === MAX_TRIES || !mayRepeat(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())))
    }
  }
}

/** No answer, or one of a gateway: the request may have been done or not, and the key makes repeating it safe. */
function isLost(error: unknown): boolean {
  const { status } = (error ?? {}) as { status?: unknown }
  return typeof status !== 'number' || (status >= 502 && status <= 504)
}
