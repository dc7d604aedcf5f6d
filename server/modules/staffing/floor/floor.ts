import Type, { type Static } from 'typebox'
import { AGENT_STATUSES, QUEUE_STATUSES } from '../../../../shared/ticket-status.ts'
import { estimateWait, type Forecast } from '../../../../shared/eta.ts'
import { MANAGERS } from '../../../kernel/access.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Enum, Id, Nullable, Time } from '../../../kernel/schema.ts'
import { historyOf, MINUTES, type Turn } from './history.ts'

/** Events looked through for who was at work: more than half an hour of a busy branch. */
const RECENT_EVENTS = 2000

const Count = Type.Integer({ minimum: 0 })
const Figure = Nullable(Count)
const minutes = <Item extends Type.TSchema>(item: Item) =>
  Type.Array(item, { description: 'Minute by minute, now last' })
const QueueTile = Closed({
  id: Id,
  service_id: Id,
  status: Enum(QUEUE_STATUSES),
  is_active: Type.Boolean(),
  max_capacity: Figure,
  goal_seconds: Count,
  goal_percent: Count,
  waiting: Count,
  /** Who has been in this line longest entered it then. */
  waiting_since: Nullable(Time),
  eta_low_seconds: Figure,
  eta_seconds: Figure,
  eta_high_seconds: Figure,
  agents_open: Count,
  /** Present pace of one counter. */
  service_seconds: Nullable(Type.Number()),
  /** Who came today, and who of them went without being served. */
  came_today: Count,
  left_today: Count,
  history: Closed({
    waiting: minutes(Count),
    longest_seconds: minutes(Count),
    eta_seconds: minutes(Figure),
    agents_open: minutes(Figure),
    left: minutes(Count),
  }),
})
const AgentCell = Closed({
  id: Id,
  name: Type.String(),
  status: Enum(AGENT_STATUSES),
  status_reason: Type.String(),
  status_since: Time,
  expected_return_at: Nullable(Time),
  counter_id: Nullable(Id),
  counter_name: Nullable(Type.String()),
  queue_ids: Type.Array(Id),
  ticket: Nullable(Closed({ id: Id, number: Type.String(), queue_id: Id, since: Time })),
})
const Device = Closed({
  id: Id,
  kind: Enum(['kiosk', 'display']),
  name: Type.String(),
  is_online: Type.Boolean(),
  /** Null where it never was. */
  last_seen_at: Nullable(Time),
  paper: Nullable(Type.String()),
  sound: Nullable(Type.String()),
  /** Wrong staff PINs were typed, so many that none is looked at for a while; until the right one or a new one comes. */
  is_pin_guessed: Type.Boolean(),
})
const Acknowledged = Closed({ alert: Type.String(), by: Type.String(), at: Time })
const Floor = Closed({
  site: Closed({ id: Id, name: Type.String(), timezone: Type.String() }),
  now: Time,
  /** Of the site’s stream: how things stood after this event. */
  offset: Count,
  queues: Type.Array(QueueTile),
  agents: Type.Array(AgentCell),
  devices: Type.Array(Device),
  acknowledged: Type.Array(Acknowledged),
})
type Tile = Static<typeof QueueTile>

interface Row {
  site: Static<typeof Floor>['site']
  now: string
  offset: number
  queues: (Omit<Tile, 'history' | 'eta_low_seconds' | 'eta_seconds' | 'eta_high_seconds'> & {
    forecast: Forecast | null
    agents_free: number
    stays: { entered: number; ended: number | null }[]
    told: { at: number; seconds: number }[]
    left: number[]
  })[]
  agents: Static<typeof AgentCell>[]
  devices: Static<typeof Device>[]
  acknowledged: Static<typeof Acknowledged>[]
  turns: Turn[]
}
const ms = (instant: string) => `(extract(epoch from ${instant}) * 1000)::float8`

/** Everything in one statement, so that all figures are of one moment. */
const FLOOR = `
  with own as materialized (
    select s.id, s.tenant_id, s.name, s.timezone, now() as now,
      date_trunc('day', now() at time zone s.timezone) at time zone s.timezone as day_start
    from sites s where s.id = $1),
  open_agents as (
    select w.queue_id, (count(*) filter (where a.status in ('available', 'calling', 'serving', 'wrap_up')))::int as agents_open,
      (count(*) filter (where a.status = 'available'))::int as agents_free
    from own join agents a on a.site_id = own.id join agent_queues w on w.tenant_id = a.tenant_id and w.agent_id = a.id group by 1),
  tiles as (
    select q.id, q.service_id, st.status, q.is_active, q.max_capacity, q.goal_seconds, q.goal_percent, st.service_seconds, st.forecast,
      coalesce(o.agents_open, 0) as agents_open, coalesce(o.agents_free, 0) as agents_free, line.waiting, line.waiting_since,
      today.came + live.came as came_today, coalesce(array_length(gone.at, 1), 0) as left_today,
      coalesce(gone.at, '{}') as "left", coalesce(recent.stays, '[]') as stays, coalesce(told.told, '[]') as told
    from own
    join queues q on q.tenant_id = own.tenant_id and q.site_id = own.id
    join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
    left join open_agents o on o.queue_id = q.id
    cross join lateral (
      select count(*)::int as waiting, min(t.entered_at) as waiting_since from tickets t
      where t.queue_id = q.id and t.status = 'en_attente') line
    cross join lateral (
      select count(distinct l.ticket_id)::int as came from ticket_legs l
      where l.queue_id = q.id and l.ended_at >= own.day_start
        and not exists (select from tickets t where t.tenant_id = l.tenant_id and t.id = l.ticket_id and t.queue_id = q.id
          and t.status in ('en_attente', 'appelé', 'en_service', 'en_pause'))) today
    cross join lateral (
      select line.waiting + count(*)::int as came from tickets t
      where t.site_id = own.id and t.queue_id = q.id and t.status in ('appelé', 'en_service', 'en_pause')) live
    cross join lateral (
      select array_agg(${ms('x.ended_at')} order by x.ended_at) as at from (
        select distinct on (t.id) l.ended_at from ticket_legs l join tickets t on t.tenant_id = l.tenant_id and t.id = l.ticket_id
        where l.queue_id = q.id and t.queue_id = q.id and l.ended_at >= own.day_start and t.status in ('annulé', 'absent', 'expiré')
        order by t.id, l.ended_at desc) x) gone
    cross join lateral (
      select json_agg(json_build_object('entered', ${ms('y.entered_at')}, 'ended', ${ms('y.until')})) as stays from (
        select l.entered_at, coalesce(l.called_at, l.ended_at) as until from ticket_legs l
        where l.queue_id = q.id and l.ended_at >= own.now - interval '${MINUTES} minutes'
        union all
        select t.entered_at, t.called_at from tickets t
        where t.queue_id = q.id and t.status = 'en_attente'
        union all
        select t.entered_at, t.called_at from tickets t
        where t.site_id = own.id and t.queue_id = q.id and t.status in ('appelé', 'en_service', 'en_pause')) y) recent
    cross join lateral (
      select json_agg(json_build_object('at', ${ms('e.at')}, 'seconds', e.median_seconds) order by e.at) as told
      from ticket_estimates e where e.queue_id = q.id and e.at >= own.now - interval '${2 * MINUTES} minutes'
        and e.median_seconds is not null) told),
  cells as (
    select a.id, a.name, a.status, a.status_reason, a.status_since, a.expected_return_at, a.counter_id, c.name as counter_name,
      array(select w.queue_id from agent_queues w where w.tenant_id = a.tenant_id and w.agent_id = a.id order by 1) as queue_ids,
      (select json_build_object('id', t.id, 'number', t.number, 'queue_id', t.queue_id, 'since', coalesce(t.started_at, t.called_at, t.entered_at))
       from tickets t where t.tenant_id = a.tenant_id and t.agent_id = a.id and t.status in ('appelé', 'en_service') limit 1) as ticket
    from own join agents a on a.tenant_id = own.tenant_id and a.site_id = own.id
    left join counters c on c.tenant_id = a.tenant_id and c.id = a.counter_id where a.is_active)
  select (select json_build_object('id', own.id, 'name', own.name, 'timezone', own.timezone) from own) as site,
    (select own.now from own) as now,
    (select s.last_offset from own join streams s on s.tenant_id = own.tenant_id and s.site_id = own.id) as "offset",
    coalesce((select json_agg(t order by t.id) from tiles t), '[]') as queues,
    coalesce((select json_agg(c order by c.id) from cells c), '[]') as agents,
    coalesce((select json_agg(json_build_object('id', d.id, 'kind', d.kind, 'name', d.name, 'last_seen_at', d.last_seen_at,
        'is_online', exists (select from presences p where p.tenant_id = d.tenant_id and p.kind = 'device' and p.id = d.id and p.is_online),
        'paper', d.report ->> 'paper', 'sound', d.report ->> 'sound',
        'is_pin_guessed', k.pin_locked_until is not null) order by d.id)
      from own join devices d on d.tenant_id = own.tenant_id and d.site_id = own.id
      left join kiosks k on k.tenant_id = d.tenant_id and k.id = d.kiosk_id where d.revoked_at is null), '[]') as devices,
    coalesce((select json_agg(json_build_object('alert', k.alert, 'by', coalesce((select u.name from users u where u.id = k.user_id), ''), 'at', k.at) order by k.at)
      from own join alert_acknowledgements k on k.tenant_id = own.tenant_id and k.site_id = own.id
      where k.at > own.now - interval '1 day'), '[]') as acknowledged,
    coalesce((select json_agg(json_build_object('agent_id', (e.data -> 'agent' ->> 'id')::bigint, 'at', ${ms('e.at')},
        'status', e.data -> 'agent' ->> 'status', 'queue_ids', coalesce(e.data -> 'agent' -> 'queue_ids', '[]')) order by e."offset")
      from (select x."offset", x.at, x.data from own join events x on x.tenant_id = own.tenant_id and x.site_id = own.id
            order by x."offset" desc limit ${RECENT_EVENTS}) e
      where e.data -> 'agent' ->> 'status' is not null), '[]') as turns
  from own`

export const floor = operation({
  id: 'sites.floor',
  kind: 'query',
  summary: 'What a supervisor steers a site by: every queue, agent and device now, and the last half hour',
  description:
    'All of one moment. A queue’s goals are its own (`goal_seconds`, `goal_percent`); `history` has 31 figures, one a minute. Follow the site’s feed from `offset` and ask again when an event comes.',
  scope: 'read:queue',
  roles: MANAGERS,
  http: { method: 'GET', path: '/sites/{id}/floor/' },
  input: Closed({ id: Id }),
  output: Floor,
  example: { input: { id: 1 } },
  pool: 'reports',
  async run({ tx }, { id }) {
    const row = await tx.one<Row>(FLOOR, [id])
    const now = Temporal.Instant.from(row.now).epochMilliseconds
    const agents = row.agents.map((agent) => ({ agent_id: agent.id, status: agent.status, queue_ids: agent.queue_ids }))
    const queues = row.queues.map(({ forecast, agents_free, stays, told, left, ...tile }): Tile => {
      const { eta_low_seconds, eta_seconds, eta_high_seconds } = estimateWait({
        ahead: tile.waiting,
        agents_open: tile.agents_open,
        agents_free,
        service_seconds: tile.service_seconds,
        forecast,
      })
      return {
        ...tile,
        waiting_since: utc(tile.waiting_since),
        eta_low_seconds,
        eta_seconds,
        eta_high_seconds,
        history: historyOf(tile.id, now, stays, told, left, agents, row.turns),
      }
    })
    return {
      site: row.site,
      now: row.now,
      offset: row.offset,
      queues,
      agents: row.agents.map((agent) => ({
        ...agent,
        status_since: utc(agent.status_since),
        expected_return_at: utc(agent.expected_return_at),
        ticket: agent.ticket && { ...agent.ticket, since: utc(agent.ticket.since) },
      })),
      devices: row.devices.map((device) => ({ ...device, last_seen_at: utc(device.last_seen_at) })),
      acknowledged: row.acknowledged.map((each) => ({ ...each, at: utc(each.at) })),
    }
  },
})

/** PostgreSQL writes instants in JSON with their offset. */
const utc = <Instant extends string | null>(instant: Instant): Instant =>
  (instant && Temporal.Instant.from(instant).toString()) as Instant
