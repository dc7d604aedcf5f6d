import { pino, type DestinationStream, type Logger } from 'pino'
import { report, type Described } from './reporting/index.ts'

export type { Logger }

/**
 * Fields a log line may have. Anything else is dropped: what is not on the list was never judged, and logs are read by
 * more people, and kept longer, than the data they speak of.
 */
const ALLOWED: ReadonlySet<string> = new Set(
  [
    'request_id reqId tenant_id tenant site_id user_id principal role component pid',
    'operation event task job_id attempt channel transport locale code kind migration method route status version signal',
    'req res err duration_ms responseTime count bytes port offset lag_ms connections error_id',
  ].flatMap((line) => line.split(' ')),
)

const MASKS: readonly [RegExp, string][] = [
  // Signed tokens, and the secret part of URLs, Authorization headers and long random words.
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]'],
  // Keys of programs and devices.
  [/\bs[a-z]_(?:(?:live|test)_)?[A-Za-z0-9_-]{16,}/g, '[token]'],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 [token]'],
  [/:\/\/[^\s:/@]+:[^\s/@]+@/g, '://[credentials]@'],
  [/\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9_-]{22,}\b/g, '[token]'],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, '[email]'],
  // Telephone numbers: 8 digits or more with the usual separators; the last two help to tell them apart.
  [/(?<![\w.:-])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ ().-]?\d){5,12}[ ().-]?(\d{2})(?![\w:-])/g, '[phone …$1]'],
]

/** Hides tokens, credentials, addresses and telephone numbers that slipped into a sentence. */
export function mask(text: string): string {
  return MASKS.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text)
}

/** What is told of an error: never its values (PostgreSQL's `detail` repeats the offending row). */
function describeError(error: unknown): Described {
  if (!(error instanceof Error)) return { type: typeof error, message: mask(String(error)) }
  const { code, constraint, statement } = error as { code?: unknown; constraint?: unknown; statement?: unknown }
  return {
    type: error.name === 'Error' ? error.constructor.name : error.name,
    message: mask(error.message),
    ...(code !== undefined && { code }),
    ...(constraint !== undefined && { constraint }),
    ...(statement !== undefined && { statement }),
    stack: mask(error.stack ?? ''),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  }
}

function allowed(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields))
    if (ALLOWED.has(name)) kept[name] = typeof value === 'string' ? mask(value) : value
  return kept
}

/** Of pino's levels. */
const [ERROR, FATAL] = [50, 60]

/** What is written as an error is reported, with the fields that a line may have. */
function reportLine(bindings: Record<string, unknown>, said: readonly unknown[], level: number): void {
  const object = typeof said[0] === 'object' && said[0] !== null ? (said[0] as Record<string, unknown>) : {}
  const { err, ...fields } = object instanceof Error ? { err: object } : object
  report({
    level: level >= FATAL ? 'fatal' : 'error',
    message: String(said.find((each) => typeof each === 'string') ?? ''),
    error: err === undefined ? undefined : describeError(err),
    fields: allowed({ ...bindings, ...fields }),
  })
}

interface RequestLike {
  method?: string
  routeOptions?: { url?: string | undefined }
}

/**
 * The structured log: one JSON object a line, allow-listed fields, masked sentences.
 * Requests are told by their route pattern, never by their URL, which may hold a visitor's token.
 */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'msg',
      serializers: {
        err: describeError,
        req: ({ method, routeOptions }: RequestLike) => ({ method, route: routeOptions?.url }),
        res: (res: { statusCode?: number }) => ({ status: res.statusCode }),
      },
      formatters: {
        level: (label) => ({ level: label }),
        log: allowed,
      },
      hooks: {
        logMethod(args, method, level) {
          const said = args.map((arg) => (typeof arg === 'string' ? mask(arg) : arg)) as Parameters<typeof method>
          method.apply(this, said)
          if (level >= ERROR) reportLine(this.bindings(), said, level)
        },
      },
    },
    options.destination ?? pino.destination(1),
  )
  // pino formats the bindings of the first logger only; children inherit this property.
  const { child } = logger
  logger.child = function (this: Logger, bindings: Record<string, unknown>, ...options: never[]) {
    return child.call(this, allowed(bindings), ...options)
  } as typeof child
  return logger
}
