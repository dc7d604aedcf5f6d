import Type from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { readOn, type StreamEvent } from '../../../kernel/events/index.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Day, Id, Time } from '../../../kernel/schema.ts'
import { siteEvent } from './select.ts'

/** Events of one answer. */
const MOST = 1000

/**
 * The stream's events of the local day. Within a stream time never goes back, so that the day is a run of offsets:
 * halving finds where it begins and ends without an index on time, and without a look into parts that ended before.
 */
const DAY = `
  with recursive day as (
    select s.site_id, s.tenant_id, s.last_offset, coalesce($2::date, (now() at time zone x.timezone)::date) as day, x.timezone
    from streams s join sites x on x.tenant_id = s.tenant_id and x.id = s.site_id where s.site_id = $1),
  bounds as (
    select d.*, (d.day::timestamp at time zone d.timezone) as begins, ((d.day + 1)::timestamp at time zone d.timezone) as ends from day d),
  halving as (
    select i.instant, i.is_end, 0::bigint as low, b.last_offset + 1 as high
    from bounds b cross join lateral (values (b.begins, false), (b.ends, true)) i(instant, is_end)
    union all
    select h.instant, h.is_end, case when m.is_later then h.low else h.middle end, case when m.is_later then h.middle else h.high end
    from (select *, (low + high) / 2 as middle from halving where high - low > 1) h
    cross join lateral (select exists (select from events e
      where e.site_id = $1 and e."offset" = h.middle and e.at >= h.instant) as is_later) m)
  select to_char(b.day, 'YYYY-MM-DD') as day, b.begins as begins_at, b.ends as ends_at,
    (select low from halving where high - low <= 1 and not is_end) as "before", (select low from halving where high - low <= 1 and is_end) as "last"
  from bounds b`
const EVENTS = `
  select site_id, "offset", type, at, actor, queue_id, from_queue_id, ticket_id, agent_id, data from events
  where site_id = $1 and "offset" > $2 and "offset" <= $3 and at >= $4 order by "offset" limit ${MOST}`

interface Bounds {
  day: string
  begins_at: string
  ends_at: string
  /** The places before the first event of the day and of the next one. */
  before: number
  last: number
}

const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** Who was called when: the day as its boards saw it. */
export const replayDay = operation({
  id: 'sites.replay',
  kind: 'query',
  summary: 'A day of a site, event by event, as its live feed told it',
  description:
    'Each event as a frame of the site’s feed, to be folded by the same reducer. Ask again with the last `offset` as `after` while `has_more`.',
  scope: 'read:ticket',
  roles: MANAGERS,
  http: { method: 'GET', path: '/sites/{id}/replay/' },
  input: Closed({ id: Id, day: Type.Optional(Day), after: Type.Optional(Offset) }),
  output: Closed({
    day: Day,
    begins_at: Time,
    ends_at: Time,
    events: Type.Array(Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })),
    has_more: Type.Boolean(),
  }),
  example: { input: { id: 1, day: '2026-11-20' } },
  pool: 'reports',
  async run({ tx }, { id, day, after }) {
    const found = await tx.one<Bounds>(DAY, [id, day ?? null])
    const from = Math.max(found.before, after ?? 0)
    const rows = await readOn({ offset: from, at: found.begins_at, lastOffset: found.last }, MOST, (since) =>
      tx.query<StreamEvent>(EVENTS, [id, from, found.last, since]),
    )
    const events = rows.map((row) => {
      const { epoch: _, ...face } = siteEvent(row)
      return { type: row.type, offset: row.offset, after: row.offset - 1, at: row.at, ...face }
    })
    const { day: shown, begins_at, ends_at } = found
    return { day: shown, begins_at, ends_at, events, has_more: rows.length === MOST }
  },
})
