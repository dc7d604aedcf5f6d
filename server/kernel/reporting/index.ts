import { randomUUID } from 'node:crypto'
import { now } from '../clock.ts'
import { errorReports } from '../metrics.ts'
import { sentry, type SentryTarget } from './providers/sentry.ts'
export { sentry, targetOf } from './providers/sentry.ts'

/** An error as the log describes it, its sentences masked. */
export interface Described {
  type: string
  message: string
  stack?: string
  code?: unknown
  constraint?: unknown
  cause?: Described
}
/** One line of the log at `error` or `fatal`. */
export interface Trouble {
  level: 'error' | 'fatal'
  message: string
  error?: Described | undefined
  /** Allow-listed fields of the line. */
  fields: Record<string, unknown>
}

/** A failure that repeats is told so often a minute, all together no more than `MOST`. */
const MOST_OF_ONE = 5
const MOST = 60
const WINDOW_MS = 60_000
/** Of a line's fields, those that help to find what happened; none names a person. */
const TAGS = ['request_id', 'tenant_id', 'operation', 'task', 'job_id', 'attempt', 'transport', 'component'] as const

let target: SentryTarget | undefined
let sending = new Set<Promise<void>>()
let seen = new Map<string, number>()
let windowAt = 0

/** Where errors are reported; nowhere without. @param release of this program */
export function useReporting(dsn: string | undefined, place: { release: string; environment: string }): void {
  target = dsn ? { dsn, ...place } : undefined
  seen = new Map()
}

/** Tells of trouble without waiting for it to arrive: reporting never fails and never holds anybody up. */
export function report({ level, message, error, fields }: Trouble): void {
  if (!target) return
  if (!isNews(`${error?.type ?? ''} ${error?.stack?.split('\n')[1] ?? message}`))
    return errorReports.inc({ outcome: 'dropped' })
  const event = {
    event_id: randomUUID().replaceAll('-', ''),
    timestamp: now() / 1000,
    platform: 'node',
    level,
    logger: 'smartqueue',
    release: target.release,
    environment: target.environment,
    message: { formatted: withoutValues(message) },
    ...((fields['operation'] ?? fields['task']) !== undefined && {
      transaction: String(fields['operation'] ?? fields['task']),
    }),
    tags: Object.fromEntries(
      TAGS.filter((name) => fields[name] !== undefined).map((name) => [name, String(fields[name])]),
    ),
    ...(error && { exception: { values: chain(error) } }),
  }
  const sent = sentry(target, event).then(
    () => errorReports.inc({ outcome: 'sent' }),
    () => errorReports.inc({ outcome: 'failed' }),
  )
  sending.add(sent)
  void sent.finally(() => sending.delete(sent))
}

/** When all that was told of has left, or has been given up. */
export async function reported(): Promise<void> {
  await Promise.all(sending)
}

function isNews(kind: string): boolean {
  if (now() - windowAt > WINDOW_MS) {
    windowAt = now()
    seen = new Map()
  }
  const count = (seen.get(kind) ?? 0) + 1
  seen.set(kind, count)
  const all = [...seen.values()].reduce((sum, each) => sum + Math.min(each, MOST_OF_ONE), 0)
  return count <= MOST_OF_ONE && all <= MOST
}

/** Outermost last, as the protocol has it. */
function chain(error: Described): object[] {
  const { type, message, stack, code, constraint, cause } = error
  const facts = [code, constraint].filter((each) => each !== undefined).map(String)
  // The database quotes what it was given: of its errors only the code and the constraint are told.
  const isDatabase = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
  const value = isDatabase ? facts.join(' ') : withoutValues([message, ...facts].join(' '))
  return [...(cause?.type ? chain(cause) : []), { type, value, stacktrace: { frames: framesOf(stack ?? '') } }]
}

/** Sentences without what stands between quotation marks: there stand the values that people typed. */
const withoutValues = (text: string) => text.replace(/"[^"]*"|'[^']*'|“[^”]*”|«[^»]*»/g, '[value]').slice(0, 1000)

function framesOf(stack: string): object[] {
  return [...stack.matchAll(/^ +at (?:(.+?) \()?(?:file:\/\/)?([^()\n]+?):(\d+):(\d+)\)?$/gm)]
    .map(([, name, file, line, column]) => ({
      function: name ?? '?',
      filename: file!.replace(/^.*\/(node_modules|server|shared|db|web)\//, '$1/'),
      lineno: Number(line),
      colno: Number(column),
      in_app: !file!.includes('node_modules') && !file!.startsWith('node:'),
    }))
    .toReversed()
}
