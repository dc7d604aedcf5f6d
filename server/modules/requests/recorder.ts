import { monotonicMs } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/types.ts'

const EVERY_MS = 1000
/** Of one organisation, process and second: so many that succeeded, and as many that were refused. */
const MOST = 50
/** Newest requests of an organisation that are kept. */
const KEPT = 10_000
/** Between two looks at how many there are. */
const TRIM_EVERY = 2000

/** What is known of a request when its answer has left. */
export interface Answered {
  operation: string
  method: string
  route: string | undefined
  status: number
  seconds: number
  requestId: string
  tenantId: number | undefined
  /** Who asked, as `api_key:12`. */
  principal: string | undefined
}
interface Entry {
  api_key_id: number
  request_id: string
  operation: string
  method: string
  route: string
  status: number
  duration_ms: number
  answeredAt: number
}
interface Kept {
  succeeded: Entry[]
  refused: Entry[]
}

const INSERT = `
  insert into api_requests (at, api_key_id, request_id, operation, method, route, status, duration_ms)
  select now() - make_interval(secs => r.age_ms / 1000), r.api_key_id, r.request_id, r.operation, r.method, r.route, r.status, r.duration_ms
  from jsonb_to_recordset($1::jsonb) as r(age_ms double precision, api_key_id bigint, request_id text, operation text,
    method text, route text, status smallint, duration_ms real) order by r.age_ms desc`
const TRIM = `
  delete from api_requests where id <= (select r.id from api_requests r order by r.id desc offset ${KEPT} limit 1)`

/**
 * Notes what programs ask with the keys of organisations, beside their requests: nothing waits for it, one statement a
 * second and organisation writes it, and what a flood brings beyond a bound is left out.
 */
export class RequestRecorder {
  readonly #db: Database
  readonly #onError: (error: unknown) => void
  #kept = new Map<number, Kept>()
  #sinceTrim = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(db: Database, onError: (error: unknown) => void) {
    this.#db = db
    this.#onError = onError
  }

  note({ tenantId, principal, operation, method, route, status, seconds, requestId }: Answered): void {
    if (tenantId === undefined || !principal?.startsWith('api_key:') || operation === 'requests.list') return
    const kept = this.#of(tenantId)
    const list = status < 400 ? kept.succeeded : kept.refused
    if (list.length >= MOST) return
    list.push({
      api_key_id: Number(principal.slice('api_key:'.length)),
      request_id: requestId,
      operation,
      method,
      route: route ?? '',
      status,
      duration_ms: Math.round(seconds * 10_000) / 10,
      answeredAt: monotonicMs(),
    })
    this.#timer ??= setTimeout(() => void this.flush(), EVERY_MS).unref()
  }

  #of(tenantId: number): Kept {
    let kept = this.#kept.get(tenantId)
    if (!kept) this.#kept.set(tenantId, (kept = { succeeded: [], refused: [] }))
    return kept
  }

  /** Writes what was noted; one organisation after the other, so that no more than one connection is ever taken. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const kept = this.#kept
    this.#kept = new Map()
    this.#writing = this.#writing.then(async () => {
      for (const [tenantId, { succeeded, refused }] of kept) {
        const entries = [...succeeded, ...refused].toSorted((a, b) => a.answeredAt - b.answeredAt)
        await this.#write(tenantId, entries).catch(this.#onError)
      }
    })
    return this.#writing
  }

  async #write(tenantId: number, entries: readonly Entry[]): Promise<void> {
    const now = monotonicMs()
    const rows = entries.map(({ answeredAt, ...row }) => ({ ...row, age_ms: now - answeredAt }))
    // An organisation that this process has not written for may have any number.
    const since = (this.#sinceTrim.get(tenantId) ?? TRIM_EVERY) + rows.length
    const isTrimmed = since > TRIM_EVERY
    await this.#db.tenant(
      tenantId,
      async (tx) => {
        await tx.query(INSERT, [JSON.stringify(rows)])
        if (isTrimmed) await tx.query(TRIM)
      },
      'reports',
    )
    this.#sinceTrim.set(tenantId, isTrimmed ? 0 : since)
  }
}
