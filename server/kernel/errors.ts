/** Kinds of failure a caller may see. Each transport maps a kind once; nothing else reaches the wire. */
export const httpStatus = {
  invalid_input: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  limit_exceeded: 429,
  internal: 500,
  unavailable: 503,
} as const
export type ErrorKind = keyof typeof httpStatus

/** One field that was refused: JSON pointer into the input, a catalogue code, and values for its text. */
export interface FieldError {
  path: string
  code: string
  params?: Record<string, string | number>
}

/**
 * An error with a stable `code`. Its text is never written here: transports render `errors.<code>`
 * from the message catalogue in the caller's language with `params`.
 */
export class AppError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly params: Record<string, string | number>
  readonly fields: FieldError[]
  readonly retryAfterSeconds: number | undefined
  /** Further members of the problem document, for programs. */
  readonly members: Readonly<Record<string, unknown>>

  constructor(
    kind: ErrorKind,
    code: string,
    options: {
      params?: Record<string, string | number>
      fields?: FieldError[]
      cause?: unknown
      retryAfterSeconds?: number
      members?: Record<string, unknown>
    } = {},
  ) {
    super(code, { cause: options.cause })
    this.kind = kind
    this.code = code
    this.params = options.params ?? {}
    this.fields = options.fields ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
    this.members = options.members ?? {}
  }

  get status(): number {
    return httpStatus[this.kind]
  }
}

/** The one not-found error: identical for a missing id and for another tenant's id (no oracle). */
export const notFound = () => new AppError('not_found', 'not_found')
export const conflict = (code: string, params?: Record<string, string | number>) =>
  new AppError('conflict', code, params ? { params } : {})
export const invalid = (path: string, code: string, params?: Record<string, string | number>) =>
  new AppError('invalid_input', 'invalid_input', { fields: [{ path, code, ...(params && { params }) }] })

/** PostgreSQL constraint name → the error it means, declared beside the operation that can trip it. */
export type ConstraintErrors = Record<string, () => AppError>
