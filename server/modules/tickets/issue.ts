import type { Tx } from '../../kernel/db/types.ts'
import { RANK_GAP } from './rules.ts'
import type { Channel, Ticket } from './schema.ts'
import { TICKET_COLUMNS } from './sql.ts'

/** What the statement needs to know of one newcomer, guards of configuration passed. */
export interface Newcomer {
  /** Place among the callers; earlier ones get the lower numbers. */
  n: number
  queue_id: number
  channel: Channel
  priority: number
  /** Microseconds to add to the arrival. */
  offset: number
  /** Stands in for the arrival in the order of service, e.g. a booked time. */
  rank_from: string | null
  customer_id: number | null
  device_key: string | null
  sole_customer_id: number | null
  token_hash: string
  language: string | null
  note: string
  labels: string[]
  needs: string[]
  fields: Record<string, unknown>
}
/** What it needs to know of a queue. */
export interface Series {
  queue_id: number
  site_id: number
  service_id: number
  timezone: string
  daily: boolean
  prefix: string
  first: number
  last: number
  capacity: number | null
}
/** One row per newcomer: a ticket, or the reason why there is none. */
export type Issued = { n: number } & (
  | ({ refusal: null } & Ticket)
  | { refusal: 'duplicate_ticket'; duplicate_number: string }
  | { refusal: 'queue_full' | 'queue_numbers_exhausted' }
)

const SERIES = `
  series as (
    select s.queue_id, s.site_id, s.service_id, s.prefix, s.first, s.capacity, s.last - s.first + 1 as width, length(s.last::text) as digits,
           (now() at time zone s.timezone)::date as day,
           case when s.daily then (now() at time zone s.timezone)::date else date '1970-01-01' end as series_day
    from jsonb_to_recordset($1::jsonb) as s(queue_id bigint, site_id bigint, service_id bigint, timezone text, daily boolean,
      prefix text, first int, last int, capacity int))`

/** Holds the counters, so that what the next statement counts stays true until the commit. */
const HOLD = `
  with ${SERIES}
  insert into queue_days (queue_id, day, issued, issued_before, last_arrival_at)
  select queue_id, series_day, 0, 0, clock_timestamp() from series order by queue_id
  on conflict (tenant_id, queue_id, day) do update set issued = queue_days.issued`

/**
 * Numbers and inserts newcomers; refuses those who have a ticket already, find the queue full or no number left, and
 * spends no number on them. The counter's row is locked by its update until the commit, and the clock is read after
 * that: the order of numbers is the order of arrivals, of ranks and of commits. `wrap`: a series that reached its end
 * begins again as far as its first numbers are free; only under HOLD.
 */
const issueText = (wrap: boolean) => `
  with ${SERIES},
  newcomers as (
    select * from jsonb_to_recordset($2::jsonb) as i(n int, queue_id bigint, channel text, priority smallint, "offset" bigint,
      rank_from timestamptz, customer_id bigint, device_key text, sole_customer_id bigint, token_hash text, language text,
      note text, labels text[], needs text[], fields jsonb)),
  known as (
    select i.*, coalesce(
      (select t.number from tickets t where i.device_key is not null and t.service_id = s.service_id and t.device_key = i.device_key
         and t.status in ('en_attente', 'appelé', 'en_service', 'en_pause') limit 1),
      (select t.number from tickets t where i.sole_customer_id is not null and t.service_id = s.service_id
         and t.sole_customer_id = i.sole_customer_id and t.status in ('en_attente', 'appelé', 'en_service', 'en_pause') limit 1)
      ) as duplicate
    from newcomers i join series s using (queue_id)),
  counted as (
    select k.*, count(*) filter (where k.duplicate is null) over (partition by k.queue_id order by k.n) as k from known k),
  room as (
    select s.queue_id, s.capacity - (select count(*) from (
      select from tickets t where t.queue_id = s.queue_id and t.status = 'en_attente' limit s.capacity) w) as places
    from series s where s.capacity is not null),
  wanted as (
    select c.* from counted c left join room using (queue_id)
    where c.duplicate is null and (room.places is null or c.k <= room.places)),
  bounds(queue_id, last_serial) as (
    select s.queue_id, ${
      wrap
        ? `least(d.issued + s.width, coalesce((
             select min(t.serial) from tickets t where t.series_queue_id = s.queue_id and t.series_day = s.series_day
               and t.serial > d.issued - s.width and t.status in ('en_attente', 'appelé', 'en_service', 'en_pause')) + s.width - 1, 2147483647))
           from series s join queue_days d on d.queue_id = s.queue_id and d.day = s.series_day`
        : 's.width from series s'
    }),
  advanced as (
    insert into queue_days as d (queue_id, day, issued, issued_before, last_arrival_at)
    select s.queue_id, s.series_day, least(count(*), b.last_serial), 0,
      clock_timestamp() + (count(*) - 1) * interval '${RANK_GAP} microseconds'
    from wanted w join series s using (queue_id) join bounds b using (queue_id)
    group by s.queue_id, s.series_day, b.last_serial order by s.queue_id
    on conflict (tenant_id, queue_id, day) do update set
      issued_before = d.issued,
      issued = greatest(d.issued, least(
        d.issued + (select count(*) from wanted w where w.queue_id = excluded.queue_id),
        (select b.last_serial from bounds b where b.queue_id = excluded.queue_id))),
      last_arrival_at = greatest(clock_timestamp(), d.last_arrival_at + interval '${RANK_GAP} microseconds')
        + (excluded.issued - 1) * interval '${RANK_GAP} microseconds'
    returning d.queue_id, d.issued, d.issued_before, d.last_arrival_at),
  placed as (
    select w.*, s.site_id, s.service_id, s.day, s.series_day, s.prefix, s.first, s.width, s.digits, a.issued_before + w.k as serial,
      a.last_arrival_at - ((count(*) over (partition by w.queue_id)) - w.k) * interval '${RANK_GAP} microseconds' as arrival
    from wanted w join series s using (queue_id) join advanced a using (queue_id)
    where w.k <= a.issued - a.issued_before),
  t as (
    insert into tickets (site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, priority, rank,
      customer_id, device_key, sole_customer_id, token_hash, language, note, labels, needs, fields, entered_at, created_at)
    select p.site_id, p.queue_id, p.service_id, p.day, p.queue_id, p.series_day, p.serial,
      p.prefix || lpad((p.first + (p.serial - 1) % p.width)::text, p.digits, '0'), p.channel, p.priority,
      (extract(epoch from coalesce(p.rank_from, p.arrival)) * 1000000)::bigint + p."offset",
      p.customer_id, p.device_key, p.sole_customer_id, decode(p.token_hash, 'hex'), p.language, p.note, p.labels, p.needs, p.fields,
      p.arrival, p.arrival
    from placed p order by p.queue_id, p.serial
    returning *)
  select c.n, case when c.duplicate is not null then 'duplicate_ticket' when w.n is null then 'queue_full'
      when t.id is null then 'queue_numbers_exhausted' end as refusal,
    c.duplicate as duplicate_number, ${TICKET_COLUMNS}
  from counted c
  left join wanted w on w.n = c.n
  left join placed p on p.n = c.n
  left join t on t.series_queue_id = p.queue_id and t.serial = p.serial
  order by c.n`

const ISSUE = issueText(false)
const ISSUE_WRAPPED = issueText(true)

/** Gives each newcomer a ticket or a refusal, in order. All must be for queues in `series`. */
export async function issueTickets(
  tx: Tx,
  series: readonly Series[],
  newcomers: readonly Newcomer[],
): Promise<Issued[]> {
  const issued: Issued[] = []
  const endless = new Set(series.filter(({ daily }) => !daily).map(({ queue_id }) => queue_id))
  const usual = newcomers.filter(({ queue_id }) => !endless.has(queue_id))
  const wrapping = newcomers.filter(({ queue_id }) => endless.has(queue_id))
  if (usual.length) {
    const capped = series.filter(({ capacity }) => capacity !== null)
    const [, rows] = await Promise.all([
      capped.length && tx.query(HOLD, [JSON.stringify(capped)]),
      tx.query<Issued>(ISSUE, [JSON.stringify(series), JSON.stringify(usual)]),
    ])
    issued.push(...rows.filter(({ refusal }) => refusal !== 'queue_numbers_exhausted'))
    const exhausted = new Set(rows.filter(({ refusal }) => refusal === 'queue_numbers_exhausted').map(({ n }) => n))
    wrapping.push(...usual.filter(({ n }) => exhausted.has(n)))
  }
  if (wrapping.length) {
    const ids = new Set(wrapping.map(({ queue_id }) => queue_id))
    const own = JSON.stringify(series.filter(({ queue_id }) => ids.has(queue_id)))
    const [, rows] = await Promise.all([
      tx.query(HOLD, [own]),
      tx.query<Issued>(ISSUE_WRAPPED, [own, JSON.stringify(wrapping)]),
    ])
    issued.push(...rows)
  }
  return issued.toSorted((a, b) => a.n - b.n)
}
