import type { Operation, Outcome, Request, Tenant } from './operation.ts'

/** Transactions of one lane in flight at once: the second batch is prepared while the first one commits. */
const IN_FLIGHT = 2
const CROWD = 16
/** Largest batch; beyond it the statement grows slower than it saves commits. */
const MAX_BATCH = 256

type RunBatch = (op: Operation, tenant: Tenant, requests: Request[]) => Promise<(Outcome | Error)[]>
interface Waiting {
  request: Request
  resolve(outcome: Outcome): void
  reject(error: Error): void
}
interface Lane {
  op: Operation
  tenant: Tenant
  waiting: Waiting[]
  inFlight: number
  /** Requests of the batches in flight. */
  running: number
  scheduled: boolean
}

/**
 * Group commit: requests of one operation and tenant that arrive while a transaction is in flight are taken together
 * by the next one. No timer: a lone caller waits for nobody, and under load batches grow by themselves. Lanes of
 * different tenants share the connection pool first come, first served.
 */
export class Lanes {
  #run: RunBatch
  #lanes = new Map<string, Lane>()

  constructor(run: RunBatch) {
    this.#run = run
  }

  submit(op: Operation, tenant: Tenant, request: Request): Promise<Outcome> {
    const id = `${op.id} ${tenant.id}`
    let lane = this.#lanes.get(id)
    if (!lane) this.#lanes.set(id, (lane = { op, tenant, waiting: [], inFlight: 0, running: 0, scheduled: false }))
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    lane.waiting.push({ request, resolve, reject })
    this.#schedule(id, lane)
    return promise
  }

  /** One turn of the event loop gathers the requests that one read of the sockets brought. */
  #schedule(id: string, lane: Lane) {
    if (lane.scheduled || !mayStart(lane)) return
    lane.scheduled = true
    setImmediate(() => {
      lane.scheduled = false
      if (lane.waiting.length && mayStart(lane)) void this.#drain(id, lane)
    })
  }

  async #drain(id: string, lane: Lane) {
    // A crowd that arrived at once goes in two halves: while one is in the database the other is answered.
    const size = lane.inFlight === 0 && lane.waiting.length >= CROWD ? lane.waiting.length / 2 : lane.waiting.length
    const batch = lane.waiting.splice(0, Math.min(size, MAX_BATCH))
    lane.inFlight++
    lane.running += batch.length
    if (lane.waiting.length) this.#schedule(id, lane)
    try {
      const outcomes = await this.#run(
        lane.op,
        lane.tenant,
        batch.map(({ request }) => request),
      )
      batch.forEach(({ resolve, reject }, i) => {
        const outcome = outcomes[i]!
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error as Error)
    } finally {
      lane.inFlight--
      lane.running -= batch.length
      if (lane.waiting.length) this.#schedule(id, lane)
      else if (lane.inFlight === 0) this.#lanes.delete(id)
    }
  }
}

/**
 * A second batch leaves beside the first only when it is at least half as large: a few early birds would keep a slot busy
 * at the price of a whole transaction while the crowd behind them waits.
 */
const SHARE = 0.5
const mayStart = ({ inFlight, running, waiting }: Lane): boolean =>
  inFlight === 0 || (inFlight < IN_FLIGHT && waiting.length >= running * SHARE)
