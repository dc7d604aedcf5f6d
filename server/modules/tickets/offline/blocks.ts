import type { Tx } from '../../../kernel/db/types.ts'
import type { Series } from '../issue.ts'
import { freeEnd } from '../issue.ts'

/** Of a queue's numbers, at most this share is in the hands of machines. */
const MOST_SHARE = 5
/** Numbers that never begin again have no midnight: a block of theirs is good for so long. */
const ENDLESS_HOURS = 48

/** A new block: the serials stay its own for ever. */
export interface NewBlock {
  first_serial: number
  numbers: string[]
}

/** Blocks that this device can still give numbers of; `left` of them are not yet heard of. */
export const OPEN = `
  select b.queue_id, b.day::text as day, sum(cardinality(b.numbers) - (
    select count(*) from tickets t where t.series_queue_id = b.queue_id and t.series_day = b.day
      and t.serial >= b.first_serial and t.serial < b.first_serial + cardinality(b.numbers)))::int as left
  from number_blocks b where b.device_id = $1 and b.expires_at > now() group by b.queue_id, b.day`

/** The days a series is leased for: today's and tomorrow's where the site is, so that a morning may begin without a network. */
export const DAYS = `
  select case when $2 then d else date '1970-01-01' end::text as day,
    case when $2 then d::timestamp at time zone $1 else now() end as starts_at,
    case when $2 then (d + 1)::timestamp at time zone $1 else now() + interval '${ENDLESS_HOURS} hours' end as expires_at
  from generate_series((now() at time zone $1)::date, (now() at time zone $1)::date + case when $2 then 1 else 0 end, interval '1 day') g(at)
  cross join lateral (select g.at::date as d) x`

/**
 * Takes up to `wanted` numbers out of a series, under the lock of its counter; undefined when too few are left.
 * A series of a day gives its last ones, which have serials of their own below zero: the numbers that people see called
 * have no gap, and whoever widens the range during the day meets none of them twice. One that goes on for ever gives the
 * next ones, and so has a gap there.
 */
export async function cut(tx: Tx, series: Series, day: string, wanted: number): Promise<NewBlock | undefined> {
  const { queue_id, first, last, prefix } = series
  const span = last - first + 1
  await tx.query(
    'insert into queue_days (queue_id, day, issued, last_arrival_at) values ($1, $2, 0, now()) on conflict do nothing',
    [queue_id, day],
  )
  const { issued, reserved } = await tx.one<{ issued: number; reserved: number }>(
    'select issued, reserved from queue_days where queue_id = $1 and day = $2 for no key update',
    [queue_id, day],
  )
  const numberOf = (value: number) => prefix + String(value).padStart(String(last).length, '0')
  const most = Math.floor(span / MOST_SHARE)
  if (series.daily) {
    const count = Math.min(wanted, most - reserved, span - reserved - issued)
    if (count < 1) return undefined
    await tx.query('update queue_days set reserved = reserved + $3 where queue_id = $1 and day = $2', [
      queue_id,
      day,
      count,
    ])
    const first_serial = -(reserved + count)
    return { first_serial, numbers: Array.from({ length: count }, (_, i) => numberOf(last + 1 + first_serial + i)) }
  }
  const { held } = await tx.one<{ held: number }>(
    `select coalesce(sum(cardinality(numbers)), 0)::int as held from number_blocks
     where queue_id = $1 and day = $2 and expires_at > now()`,
    [queue_id, day],
  )
  const count = Math.min(wanted, most - held, (await freeEnd(tx, series)) - issued)
  if (count < 1) return undefined
  await tx.query('update queue_days set issued = issued + $3 where queue_id = $1 and day = $2', [queue_id, day, count])
  return {
    first_serial: issued + 1,
    numbers: Array.from({ length: count }, (_, i) => numberOf(first + ((issued + i) % span))),
  }
}
