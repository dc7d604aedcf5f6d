import type { Tx } from '../../kernel/db/types.ts'
import type { Rank, RankedTicket, RankingConfig } from '../queues/index.ts'
import { remembered } from './shares.ts'
import { RANK_GAP } from './rules.ts'
import type { Channel } from './schema.ts'

/** What numbers of a queue are made of. */
export interface Series {
  queue_id: number
  site_id: number
  service_id: number
  timezone: string
  /** Begins again each local day. */
  daily: boolean
  prefix: string
  first: number
  last: number
  capacity: number | null
}
/** Somebody who may take a ticket as far as the queue's configuration goes. */
export interface Newcomer {
  series: Series
  channel: Channel
  priority: number
  ranked: RankedTicket
  /** Null when it follows from the line as it is under the counter's lock. */
  rank: Rank | null
  ranking: RankingConfig
  appointment_at: string | null
  required_skill: string | null
  /** Rules that took effect. */
  rule_ids: number[]
  /** The class that was asked for, before the rules. */
  asked_priority: number
  customer_id: number | null
  device_key: string | null
  sole_customer_id: number | null
  token_hash: string
  language: 'fr' | 'en' | 'ar' | null
  note: string
  labels: string[]
  needs: string[]
  fields: Record<string, unknown>
}
/** What the database decided about a ticket. */
export interface Issued {
  id: number
  number: string
  rank: number
  created_at: string
}
export type Refusal =
  | { refusal: 'duplicate_ticket'; number: string }
  | { refusal: 'queue_full' | 'queue_numbers_exhausted' }

const LIVE = `('en_attente', 'appelé', 'en_service', 'en_pause')`
const seriesDay = (row: string) =>
  `case when ${row}.daily then (now() at time zone ${row}.timezone)::date else date '1970-01-01' end`

/** Live tickets of the same device or person for the service: few callers say who they are. */
const DUPLICATES = `
  select k.n, coalesce(
    (select t.number from tickets t where t.service_id = k.service_id and t.device_key = k.device_key and t.status in ${LIVE} limit 1),
    (select t.number from tickets t where t.service_id = k.service_id and t.sole_customer_id = k.customer_id and t.status in ${LIVE} limit 1)
    ) as number
  from unnest($1::int[], $2::bigint[], $3::text[], $4::bigint[]) as k(n, service_id, device_key, customer_id)`

const COUNTERS = `unnest($1::bigint[], $2::text[], $3::boolean[], $4::int[], $5::int[]) as s(queue_id, timezone, daily, wanted, last_serial)`
/**
 * Advances the counters by what is wanted, at most to the last serial. The rows stay locked until the commit and the
 * clock is read after that: the order of numbers is the order of arrivals, of ranks and of commits. With nothing wanted
 * it only takes the locks, so that what the next statement counts stays true.
 */
const ADVANCE = `
  insert into queue_days as d (queue_id, day, issued, issued_before, last_arrival_at)
  select s.queue_id, ${seriesDay('s')}, least(s.wanted, s.last_serial), 0,
         clock_timestamp() + s.wanted * interval '${RANK_GAP} microseconds'
  from ${COUNTERS} order by s.queue_id
  on conflict (tenant_id, queue_id, day) do update set
    issued_before = d.issued,
    issued = greatest(d.issued, least(d.issued + excluded.issued, (select s.last_serial from ${COUNTERS} where s.queue_id = excluded.queue_id) - d.reserved)),
    last_arrival_at = greatest(clock_timestamp(), d.last_arrival_at) + excluded.issued * interval '${RANK_GAP} microseconds'`

/** The tickets whose number was granted. The counter's row also proves that the queue exists. */
const INSERT = `
  insert into tickets (site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, priority, rank,
    appointment_at, required_skill, rule_ids, asked_priority, customer_id, device_key, sole_customer_id, token_hash, language, note, labels, needs, fields, entered_at, created_at)
  select i.site_id, i.queue_id, i.service_id, (now() at time zone i.timezone)::date, i.queue_id, d.day, d.issued_before + i.k,
    i.prefix || lpad((i.first + (d.issued_before + i.k - 1) % (i.last - i.first + 1))::text, length(i.last::text), '0'),
    i.channel, i.priority, coalesce(i.rank_at, (extract(epoch from arrival) * 1000000)::bigint + i."offset"),
    i.appointment_at, i.required_skill, i.rule_ids, i.asked_priority, i.customer_id, i.device_key, i.sole_customer_id, decode(i.token_hash, 'hex'), i.language, i.note, i.labels, i.needs, i.fields,
    arrival, arrival
  from jsonb_to_recordset($1::jsonb) as i(k int, site_id bigint, queue_id bigint, service_id bigint, timezone text, daily boolean,
      prefix text, first int, last int, channel text, priority smallint, "offset" bigint, rank_at bigint, appointment_at timestamptz, required_skill text, rule_ids bigint[], asked_priority smallint, customer_id bigint,
      device_key text, sole_customer_id bigint, token_hash text, language text, note text, labels text[], needs text[], fields jsonb)
  join queue_days d on d.queue_id = i.queue_id and d.day = ${seriesDay('i')}
  cross join lateral (
    select d.last_arrival_at - (d.issued - d.issued_before - i.k) * interval '${RANK_GAP} microseconds') as a(arrival)
  where i.k <= d.issued - d.issued_before
  returning id, series_queue_id as queue_id, serial, number, rank, created_at`

/** Waiting tickets, counted to the capacity at most. */
const PLACES = `
  select s.queue_id, s.capacity - (
    select count(*) from (select from tickets t where t.queue_id = s.queue_id and t.status = 'en_attente' limit s.capacity) w)::int as places
  from unnest($1::bigint[], $2::int[]) as s(queue_id, capacity)`

/** How far a series that begins again may go: to the first number that is still somebody's, or that a machine may give. */
const FREE = `
  select s.queue_id, least(d.issued + s.wanted, coalesce(least((
    select min(t.serial) from tickets t where t.series_queue_id = s.queue_id and t.series_day = d.day
      and t.serial > d.issued - s.wanted and t.status in ${LIVE}), (
    select min(greatest(b.first_serial, d.issued - s.wanted + 1)) from number_blocks b where b.queue_id = s.queue_id and b.day = d.day
      and b.expires_at > now() and b.first_serial + cardinality(b.numbers) - 1 > d.issued - s.wanted)) + s.wanted - 1, 2147483647)) as last_serial
  from ${COUNTERS} join queue_days d on d.queue_id = s.queue_id and d.day = ${seriesDay('s')}`

/**
 * A ticket or a refusal for each newcomer, in order: who has a live ticket already, finds the queue full or no number
 * left is refused, and no number is spent on them. Nobody may come twice with the same device or person.
 */
export async function issueTickets(tx: Tx, newcomers: readonly Newcomer[]): Promise<(Issued | Refusal)[]> {
  const results = new Map<Newcomer, Issued | Refusal>()
  await refuseDuplicates(tx, newcomers, results)
  const accepted = () => newcomers.filter((one) => !results.has(one))
  await refuseFull(tx, accepted(), results)
  const isDaily = (one: Newcomer) => one.series.daily
  await give(tx, accepted().filter(isDaily), (series) => series.last - series.first + 1, results)
  const rest = accepted()
  if (rest.length) {
    const ends = await freeEnds(tx, rest)
    await give(tx, rest, ({ queue_id }) => ends.get(queue_id)!, results)
  }
  return newcomers.map((one) => results.get(one) ?? { refusal: 'queue_numbers_exhausted' })
}

type Results = Map<Newcomer, Issued | Refusal>

async function refuseDuplicates(tx: Tx, newcomers: readonly Newcomer[], results: Results): Promise<void> {
  const known = newcomers.filter((one) => one.device_key !== null || one.sole_customer_id !== null)
  if (known.length === 0) return
  const rows = await tx.query<{ n: number; number: string | null }>(DUPLICATES, [
    known.map((_, n) => n),
    known.map(({ series }) => series.service_id),
    known.map(({ device_key }) => device_key),
    known.map(({ sole_customer_id }) => sole_customer_id),
  ])
  for (const { n, number } of rows) if (number !== null) results.set(known[n]!, { refusal: 'duplicate_ticket', number })
}

/** Holds the counters of queues with a capacity, counts, and refuses those for whom there is no room. */
async function refuseFull(tx: Tx, newcomers: readonly Newcomer[], results: Results): Promise<void> {
  const capped = [...bySeries(newcomers.filter(({ series }) => series.capacity !== null))]
  if (capped.length === 0) return
  const [, rows] = await Promise.all([
    tx.query(
      ADVANCE,
      counters(capped, () => [0, 0]),
    ),
    tx.query<{ queue_id: number; places: number }>(PLACES, [
      capped.map(([{ queue_id }]) => queue_id),
      capped.map(([{ capacity }]) => capacity),
    ]),
  ])
  const places = new Map(rows.map((row) => [row.queue_id, row.places]))
  for (const [{ queue_id }, line] of capped) {
    for (const one of line.slice(Math.max(0, places.get(queue_id)!))) results.set(one, { refusal: 'queue_full' })
  }
}

async function freeEnds(tx: Tx, newcomers: readonly Newcomer[]): Promise<Map<number, number>> {
  const groups = [...bySeries(newcomers)]
  const [, rows] = await Promise.all([
    tx.query(
      ADVANCE,
      counters(groups, () => [0, 0]),
    ),
    tx.query<{ queue_id: number; last_serial: number }>(
      FREE,
      counters(groups, ({ first, last }) => [last - first + 1, 0]),
    ),
  ])
  return new Map(rows.map((row) => [row.queue_id, row.last_serial]))
}

/** The last serial that this series, which begins again, may give; its counter is held. */
export async function freeEnd(tx: Tx, series: Series): Promise<number> {
  const [row] = await tx.query<{ last_serial: number }>(FREE, [
    [series.queue_id],
    [series.timezone],
    [series.daily],
    [series.last - series.first + 1],
    [0],
  ])
  return row!.last_serial
}

/** Gives numbers up to a series' end; whoever comes after it is left without a result. */
async function give(
  tx: Tx,
  newcomers: readonly Newcomer[],
  lastSerial: (series: Series) => number,
  results: Results,
): Promise<void> {
  if (newcomers.length === 0) return
  const groups = [...bySeries(newcomers)]
  const ranks = await ranksOf(tx, groups)
  const rows = groups.flatMap(([series, line]) =>
    line.map(({ series: _, ranked, rank, ranking, ...one }, i) => ({
      ...one,
      ...series,
      ...ranks.get(ranked),
      k: i + 1,
    })),
  )
  const [, issued] = await Promise.all([
    tx.query(
      ADVANCE,
      counters(groups, (series, line) => [line.length, lastSerial(series)]),
    ),
    tx.query<Issued & { queue_id: number; serial: number }>(INSERT, [JSON.stringify(rows)]),
  ])
  const byQueue = Map.groupBy(issued, ({ queue_id }) => queue_id)
  for (const [{ queue_id }, line] of groups) {
    const given = (byQueue.get(queue_id) ?? []).toSorted((a, b) => a.serial - b.serial)
    for (const [i, ticket] of given.entries()) results.set(line[i]!, ticket)
  }
}

/** Ranks by ticket. Where they follow from the line, the counters are held first, so that nobody enters in between. */
async function ranksOf(tx: Tx, groups: readonly [Series, Newcomer[]][]): Promise<Map<RankedTicket, object>> {
  const ranks = new Map<RankedTicket, object>()
  const following: [Series, Newcomer[]][] = []
  for (const group of groups) {
    if (group[1].some(({ rank }) => rank === null)) following.push(group)
    else for (const { ranked, rank } of group[1]) ranks.set(ranked, 'at' in rank! ? { rank_at: rank.at } : rank!)
  }
  if (following.length === 0) return ranks
  await tx.query(
    ADVANCE,
    counters(following, () => [0, 0]),
  )
  for (const [{ queue_id }, line] of following) {
    const tickets = line.map(({ ranked }) => ranked)
    for (const [i, rank_at] of (await remembered(tx, queue_id, line[0]!.ranking, tickets)).entries()) {
      ranks.set(tickets[i]!, { rank_at })
    }
  }
  return ranks
}

const bySeries = (newcomers: readonly Newcomer[]) => Map.groupBy(newcomers, ({ series }) => series)

/** Parameters of COUNTERS. */
function counters(
  groups: readonly [Series, Newcomer[]][],
  numbers: (series: Series, line: Newcomer[]) => [wanted: number, lastSerial: number],
): unknown[] {
  const pairs = groups.map(([series, line]) => numbers(series, line))
  return [
    groups.map(([{ queue_id }]) => queue_id),
    groups.map(([{ timezone }]) => timezone),
    groups.map(([{ daily }]) => daily),
    pairs.map(([wanted]) => wanted),
    pairs.map(([, lastSerial]) => lastSerial),
  ]
}
