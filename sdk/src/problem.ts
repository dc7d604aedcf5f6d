/** A refusal: RFC 9457, in the caller's language. `status` 0: the server was not reached. */
export class Problem extends Error {
  readonly status: number
  /** Stable, for programs: `queue_closed`. */
  readonly code: string
  readonly errors: readonly { path: string; code: string; detail: string }[]
  /** To be quoted to whoever looks after the server. */
  readonly requestId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, body: Record<string, unknown>, retryAfterSeconds?: number, cause?: unknown) {
    super(String(body['detail'] ?? body['title'] ?? body['code'] ?? status), { cause })
    this.name = 'Problem'
    this.status = status
    this.code = String(body['code'] ?? 'unreachable')
    this.errors = (body['errors'] ?? []) as Problem['errors']
    this.requestId = body['request_id'] as string | undefined
    this.retryAfterSeconds = retryAfterSeconds
  }
}
