import { createHash } from 'node:crypto'
import Type from 'typebox'
import { MANAGERS } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { dayBefore } from '../../kernel/events/index.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Time } from '../../kernel/schema.ts'
import { placesBefore, publicEvent, type EventRow } from './event.ts'
import { EventPattern } from './schema.ts'

/** Events looked at by one request, however few of them are wanted. */
const MOST_READ = 1000
/** Instead of a cursor; none begins like it. */
const NOW = 'now'
const VERSION = 1
const HASH_BYTES = 3

interface Place {
  site_id: number
  offset: number
  /** The beginning of a digest of the stream's epoch. */
  mark: string
}
const markOf = (epoch: string) => createHash('sha256').update(epoch).digest().subarray(0, HASH_BYTES).toString('hex')

/** Where each stream was read to, small enough for an address: some five bytes a site. */
export function encodePlaces(places: readonly Place[]): string {
  const bytes: number[] = [VERSION]
  const put = (value: number) => {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  }
  let before = -1
  for (const { site_id, offset, mark } of places.toSorted((a, b) => a.site_id - b.site_id)) {
    put(site_id - before - 1)
    put(offset)
    bytes.push(...Buffer.from(mark, 'hex'))
    before = site_id
  }
  return Buffer.from(bytes).toString('base64url')
}

/** @throws AppError invalid_input for a text that is no cursor of this list */
export function decodePlaces(cursor: string): Place[] {
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes[0] !== VERSION) throw invalid('/after', 'cursor')
  let at = 1
  const take = (): number => {
    let value = 0
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++]!
      value += (byte % 128) * factor
      if (byte < 128 && Number.isSafeInteger(value)) return value
    }
    throw invalid('/after', 'cursor')
  }
  const places: Place[] = []
  for (let before = -1; at < bytes.length;) {
    const site_id = before + 1 + take()
    const offset = take()
    const mark = bytes.subarray(at, (at += HASH_BYTES)).toString('hex')
    if (mark.length < 2 * HASH_BYTES || !Number.isSafeInteger(site_id)) throw invalid('/after', 'cursor')
    places.push({ site_id, offset, mark })
    before = site_id
  }
  return places
}

/**
 * A place in no site's stream says in hours since 1970 until when everything was read, so that programs before and after this
 * one understand each other's cursors.
 */
const CLOCK = Number.MAX_SAFE_INTEGER
const EPOCH = Temporal.Instant.fromEpochMilliseconds(0)
const clockPlace = (readUntil: string): Place => ({
  site_id: CLOCK,
  offset: Math.max(0, Math.floor(Temporal.Instant.from(readUntil).since(EPOCH).total('hours'))),
  mark: '0'.repeat(2 * HASH_BYTES),
})
/** Whoever made up a time beyond all has made the reading slower, no more. */
const instantOf = ({ offset }: Place): string => EPOCH.add({ hours: Math.min(offset, 10_000_000) }).toString()

const HEADS = `
  select site_id, epoch, last_offset, clock_timestamp() as now from streams
  where ($1::bigint[] is null or site_id = any($1)) and (site_id <> 0 or $2) order by site_id`
/** By time; a stream stays in its own order where its clock was set back: what came after an event comes after it. */
const READ = `
  select e.* from unnest($1::bigint[], $2::bigint[], $3::text[]) as p(site_id, "offset", epoch)
  cross join lateral (
    select x.*, max(x.at) over (order by x."offset") as turn from (
    select x.site_id, p.epoch, x."offset", x.type, x.at, x.actor, x.queue_id, x.from_queue_id, x.data from events x
    where x.site_id = p.site_id and x."offset" > p."offset" and x.at >= $4 order by x."offset" limit ${MOST_READ}) x) e
  order by e.turn, e.site_id, e."offset" limit ${MOST_READ}`

interface Head {
  site_id: number
  epoch: string
  last_offset: number
  now: string
}
type LogRow = EventRow & { queue_id: number | null; from_queue_id: number | null }

/**
 * What follows in all of the streams, in the order of time. Looks only into the parts of the log that reach beyond a day before `from`;
 * where a stream has a hole there, or ends too early, into all: a clock was set back, or the log lost it.
 */
async function readLog(tx: Tx, streams: readonly (Head & { begin: number })[], from: string | null): Promise<LogRow[]> {
  const places = [
    streams.map(({ site_id }) => site_id),
    streams.map(({ begin }) => begin),
    streams.map(({ epoch }) => epoch),
  ]
  const read = (since: string) => tx.query<LogRow>(READ, [...places, since])
  if (from === null) return read('-infinity')
  const rows = await read(dayBefore(from))
  const reached = new Map(streams.map(({ site_id, begin }) => [site_id, begin]))
  for (const { site_id, offset } of rows) {
    if (offset !== reached.get(site_id)! + 1) return read('-infinity')
    reached.set(site_id, offset)
  }
  const isWhole =
    rows.length === MOST_READ || streams.every(({ site_id, last_offset }) => reached.get(site_id)! >= last_offset)
  return isWhole ? rows : read('-infinity')
}

export const Event = Closed({
  id: Type.String(),
  type: Type.String(),
  timestamp: Time,
  tenant: Type.String(),
  site_id: Type.Integer({ description: 'Stream it belongs to; 0 is the organisation’s own' }),
  epoch: Type.String(),
  offset: Type.Integer({ description: 'Rises by one from event to event of a stream' }),
  actor: Type.String(),
  data: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
})

const list = operation({
  id: 'events.list',
  kind: 'query',
  summary: 'Read the log of events on from a cursor',
  description:
    'Oldest first, each stream in its own order, nothing twice and nothing left out: keep `next` and ask with it as `after`, again and again. Without `after` from the beginning, or from `since`; `after=now` answers where the log ends. `log_restarted` says that the log does not go back so far any more: begin anew.',
  scope: 'read:ticket',
  roles: MANAGERS,
  http: { method: 'GET', path: '/events/' },
  input: Closed({
    after: Type.Optional(Type.String({ maxLength: 12_000, pattern: '^[A-Za-z0-9_-]+$' })),
    since: Type.Optional(Time),
    site: Type.Optional(Id),
    queue: Type.Optional(Id),
    types: Type.Optional(Type.Array(EventPattern, { maxItems: 100 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  }),
  output: Closed({
    results: Type.Array(Event),
    next: Type.String({ description: 'Where to go on, also when there is nothing more yet' }),
    has_more: Type.Boolean(),
  }),
  example: { input: { types: ['ticket.*'], limit: 100 } },
  async run({ tx, tenant, actor }, { after, since, site, queue, types = [], limit = 50 }) {
    const siteIds = site === undefined ? (actor.siteIds ?? null) : [site]
    // What happens to people, keys and settings is for those who look after them.
    const isAdmin = actor.scopes.has('admin:tenant') && siteIds === null
    const heads = await tx.query<Head>(HEADS, [siteIds, isAdmin])
    const now = heads[0]?.now ?? null
    const begins = new Map<number, number>()
    let from: string | null = null
    if (after === NOW) {
      for (const { site_id, last_offset } of heads) begins.set(site_id, last_offset)
    } else if (after !== undefined) {
      const seen = new Map(decodePlaces(after).map((place) => [place.site_id, place]))
      for (const { site_id, epoch, last_offset } of heads) {
        const place = seen.get(site_id)
        if (place && (place.mark !== markOf(epoch) || place.offset > last_offset)) throw conflict('log_restarted')
        begins.set(site_id, place?.offset ?? 0)
      }
      // A stream that the cursor does not know is read from its beginning.
      const clock = heads.every(({ site_id }) => seen.has(site_id)) ? seen.get(CLOCK) : undefined
      if (clock) from = instantOf(clock)
    } else if (since !== undefined) {
      for (const { site_id, offset } of await placesBefore(tx, since, siteIds)) begins.set(site_id, offset)
      from = since
    }
    const fresh = heads
      .map((head) => ({ ...head, begin: begins.get(head.site_id) ?? 0 }))
      .filter(({ last_offset, begin }) => last_offset > begin)
    const rows = await readLog(tx, fresh, from)
    // All there is was read: a stream that went on since its place and shows nothing has lost it.
    const shown = new Set(rows.map(({ site_id }) => site_id))
    const isLost = fresh.some(({ site_id, begin }) => begin > 0 && !shown.has(site_id))
    if (rows.length < MOST_READ && isLost) throw conflict('log_restarted')
    const reached = new Map(begins)
    const results = []
    let read = 0
    for (const row of rows) {
      const before = reached.get(row.site_id) ?? 0
      if (row.offset !== before + 1 && before > 0) throw conflict('log_restarted')
      reached.set(row.site_id, row.offset)
      read++
      const isInQueue = queue === undefined || row.queue_id === queue || row.from_queue_id === queue
      if (isInQueue && isWanted(types, row.type)) results.push(publicEvent(tenant.slug, row))
      if (results.length === limit) break
    }
    const places = heads.map(({ site_id, epoch }) => ({
      site_id,
      offset: reached.get(site_id) ?? 0,
      mark: markOf(epoch),
    }))
    // What is still to come of any stream happened after what was read of all: they are read in the order of their time.
    const hasMore = read < rows.length || rows.length === MOST_READ
    const readUntil = hasMore ? rows[read - 1]!.at : now
    if (readUntil !== null) places.push(clockPlace(readUntil))
    return { results, next: encodePlaces(places), has_more: hasMore }
  },
})

const isWanted = (types: readonly string[], type: string) =>
  types.length === 0 || types.includes(type) || types.includes(`${type.split('.')[0]}.*`)

export const logOperations = [list]
