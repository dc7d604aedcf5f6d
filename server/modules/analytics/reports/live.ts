import Type, { type Static } from 'typebox'
import { MANAGERS } from '../../../kernel/access.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Id, Nullable, Time } from '../../../kernel/schema.ts'

const Count = Type.Integer({ minimum: 0 })
const Line = Closed({
  queue_id: Type.Integer(),
  site_id: Type.Integer(),
  service_id: Type.Integer(),
  name: Type.String(),
  waiting: Count,
  called: Count,
  serving: Count,
  held: Count,
  /** Who has been in this line longest entered it then. */
  waiting_since: Nullable(Time),
  agents_open: Count,
  agents_free: Count,
})
const Stream = Closed({ site_id: Type.Integer(), epoch: Type.String(), offset: Count })

/** All in one statement, so that lines and offsets are of one moment. */
const LIVE = `
  with own as materialized (
    select q.tenant_id, q.id as queue_id, q.site_id, q.service_id, q.name from queues q join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
    where s.is_active and ($1::bigint is null or q.site_id = $1) and ($2::bigint is null or q.id = $2)),
  lines as (
    select o.queue_id, o.site_id, o.service_id, o.name,
      coalesce(w.waiting, 0) as waiting, coalesce(b.called, 0) as called, coalesce(b.serving, 0) as serving, coalesce(b.held, 0) as held,
      w.waiting_since, coalesce(a.agents_open, 0) as agents_open, coalesce(a.agents_free, 0) as agents_free
    from own o
    left join (
      select t.queue_id, count(*)::int as waiting, min(t.entered_at) as waiting_since from tickets t
      where t.status = 'en_attente' and t.queue_id in (select queue_id from own) group by 1) w on w.queue_id = o.queue_id
    left join (
      select t.queue_id, (count(*) filter (where t.status = 'appelé'))::int as called,
        (count(*) filter (where t.status = 'en_service'))::int as serving, (count(*) filter (where t.status = 'en_pause'))::int as held
      from tickets t where t.status in ('appelé', 'en_service', 'en_pause') and t.site_id in (select site_id from own) group by 1) b
      on b.queue_id = o.queue_id
    left join (
      select s.queue_id, (count(*) filter (where a.status in ('available', 'calling', 'serving', 'wrap_up')))::int as agents_open,
        (count(*) filter (where a.status = 'available'))::int as agents_free
      from agent_queues s join agents a on a.tenant_id = s.tenant_id and a.id = s.agent_id group by 1) a on a.queue_id = o.queue_id)
  select coalesce((select json_agg(l order by l.queue_id) from lines l), '[]') as lines,
    coalesce((select json_agg(json_build_object('site_id', st.site_id, 'epoch', st.epoch, 'offset', st.last_offset) order by st.site_id)
              from streams st where st.site_id in (select site_id from own)), '[]') as streams`

export const live = operation({
  id: 'analytics.live',
  kind: 'query',
  summary: 'The lines of all queues now, with the offsets from which the live feeds go on',
  description:
    'Of one moment of the database: a client that follows the queues’ feeds from these offsets keeps the counters right without asking again.',
  scope: 'read:analytics',
  roles: MANAGERS,
  http: { method: 'GET', path: '/analytics/live/' },
  input: Closed({ site_id: Type.Optional(Id), queue_id: Type.Optional(Id) }),
  output: Closed({ lines: Type.Array(Line), streams: Type.Array(Stream) }),
  example: { input: { site_id: 1 } },
  pool: 'reports',
  kept: {
    place: (_ctx, { site_id, queue_id }) =>
      site_id === undefined || queue_id !== undefined ? undefined : { siteId: site_id },
  },
  async run(ctx, { site_id = null, queue_id = null }) {
    const { lines, streams } = await ctx.tx.one<{
      lines: Static<typeof Line>[]
      streams: Static<typeof Stream>[]
    }>(LIVE, [site_id, queue_id])
    // PostgreSQL writes instants in JSON with their offset.
    const utc = (instant: string | null) => instant && Temporal.Instant.from(instant).toString()
    return { lines: lines.map((line) => ({ ...line, waiting_since: utc(line.waiting_since) })), streams }
  },
})
