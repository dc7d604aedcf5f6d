import { guardedFetch } from '../../authentication/index.ts'
import { monotonicMs } from '../../../kernel/clock.ts'
import { checkSending } from '../../../kernel/sending.ts'
import { multistatusOf } from './reader.ts'
import { findBody, readBody, syncBody, type Answered } from './xml.ts'

/** Why a calendar could not be used; the text is in the catalogue under `errors.<code>`. */
export type CalendarFailure =
  | 'calendar_unreachable'
  | 'calendar_refused'
  | 'calendar_missing'
  | 'calendar_answer'
  | 'not_a_calendar'
export class CalendarError extends Error {
  readonly code: CalendarFailure
  constructor(code: CalendarFailure, cause?: unknown) {
    super(code, { cause })
    this.code = code
  }
}
export interface Account {
  /** Of the collection, with a slash at the end. */
  url: string
  username: string
  password: string
}
export interface Changes {
  /** By name the ETag, null for what is gone. */
  listed: Map<string, string | null>
  /** To be told what changes from here; null where the server cannot. */
  token: string | null
  /** All there is, so that what is not listed is gone. */
  isComplete: boolean
}
/** The resource is no longer as the caller knew it (412). */
export const CHANGED = Symbol('changed')

const READ_AT_ONCE = 50
/** Rounds of a list that the server cuts (507). */
const MOST_ROUNDS = 100
const MAX_BYTES = 8 * 1024 * 1024
/** Of one calendar, held in memory at once: what it lists, and what is read of it. */
const MOST_LISTED = 50_000
const MOST_READ = 64 * 1024 * 1024
/** Of everything that is asked of a calendar in one go: one that answers slowly holds nobody else up for longer. */
const WHOLE_MS = 300_000

/**
 * A calendar collection (RFC 4791). Every request goes to this collection's own address, whatever the server's answers name.
 * Methods throw CalendarError.
 * @param isDevelopment loopback and plain http too
 */
export function calendarAt({ url, username, password }: Account, isDevelopment: boolean, timeoutMs = 10_000) {
  const fetch = guardedFetch(isDevelopment, { timeoutMs, maxBytes: MAX_BYTES })
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const ends = monotonicMs() + WHOLE_MS
  const addressOf = (name: string) => url + encodeURIComponent(name)

  async function ask(method: string, name: string, body: string | null, headers: Record<string, string> = {}) {
    checkSending()
    if (monotonicMs() > ends) throw new CalendarError('calendar_unreachable')
    const type = method === 'PUT' ? 'text/calendar; charset=utf-8' : 'application/xml; charset=utf-8'
    try {
      return await fetch(addressOf(name), {
        method,
        body,
        headers: {
          authorization,
          ...(body !== null && { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
      })
    } catch (cause) {
      throw new CalendarError('calendar_unreachable', cause)
    }
  }
  async function answersOf(response: Response) {
    if (response.status !== 207) throw failureOf(response.status)
    try {
      return await multistatusOf(await response.text())
    } catch (cause) {
      throw new CalendarError('calendar_answer', cause)
    }
  }
  const find = async (name: string, depth: 0 | 1) =>
    (await answersOf(await ask('PROPFIND', name, findBody, { depth: String(depth) }))).answers

  async function listAll(): Promise<Changes> {
    const answers = await find('', 1)
    return { listed: new Map(answers.flatMap(listedOf)), token: null, isComplete: true }
  }

  return {
    /** @throws CalendarError unless this is a calendar that these words open */
    async verify(): Promise<void> {
      if (!(await find('', 0)).some(({ isCalendar }) => isCalendar)) throw new CalendarError('not_a_calendar')
    },

    /** What changed since a token (RFC 6578), or all there is; by their ETags where the server keeps no tokens. */
    async changes(since: string | null): Promise<Changes> {
      const listed: Changes['listed'] = new Map()
      let token = since ?? ''
      for (let round = 0; round < MOST_ROUNDS; round++) {
        const response = await ask('REPORT', '', syncBody(token), { depth: '0' })
        if (response.status !== 207) {
          if (response.status >= 500 && response.status !== 501) throw failureOf(response.status)
          // The token is too old, or nobody here knows what it is.
          return since === null ? listAll() : this.changes(null)
        }
        const { answers, token: next } = await answersOf(response)
        for (const [name, etag] of answers.flatMap(listedOf)) listed.set(name, etag)
        if (listed.size > MOST_LISTED) throw new CalendarError('calendar_answer')
        if (next === null) return listAll()
        token = next
        if (!answers.some(({ status }) => status === 507)) return { listed, token, isComplete: since === null }
      }
      throw new CalendarError('calendar_answer')
    },

    async read(names: readonly string[]): Promise<Map<string, { etag: string; text: string }>> {
      const read = new Map<string, { etag: string; text: string }>()
      const asked = new Set(names)
      let size = 0
      for (let i = 0; i < names.length; i += READ_AT_ONCE) {
        const paths = names.slice(i, i + READ_AT_ONCE).map((name) => new URL(addressOf(name)).pathname)
        const { answers } = await answersOf(await ask('REPORT', '', readBody(paths), { depth: '1' }))
        for (const { name, etag, data } of answers) {
          if (!etag || !data || !asked.has(name)) continue
          size += data.length
          if (size > MOST_READ) throw new CalendarError('calendar_answer')
          read.set(name, { etag, text: data })
        }
      }
      return read
    },

    /** @param etag what is replaced; empty for what must not be there yet */
    async put(name: string, text: string, etag: string): Promise<string | typeof CHANGED> {
      const response = await ask('PUT', name, text, etag ? { 'if-match': etag } : { 'if-none-match': '*' })
      if (response.status === 412) return CHANGED
      if (!response.ok) throw failureOf(response.status)
      const written = response.headers.get('etag') ?? (await find(name, 0))[0]?.etag
      if (!written) throw new CalendarError('calendar_answer')
      return written
    },

    async remove(name: string, etag: string): Promise<void | typeof CHANGED> {
      const { status, ok } = await ask('DELETE', name, null, { 'if-match': etag })
      if (status === 412) return CHANGED
      if (!ok && status !== 404 && status !== 410) throw failureOf(status)
    },
  }
}
export type Calendar = ReturnType<typeof calendarAt>

const listedOf = ({ name, status, etag }: Answered): [string, string | null][] =>
  name === '' ? [] : status === 404 ? [[name, null]] : etag ? [[name, etag]] : []

function failureOf(status: number): CalendarError {
  if (status === 401 || status === 403) return new CalendarError('calendar_refused', status)
  if (status === 404 || status === 410) return new CalendarError('calendar_missing', status)
  return new CalendarError(status === 429 || status >= 500 ? 'calendar_unreachable' : 'calendar_answer', status)
}
