import type { Tx } from '../../../kernel/db/types.ts'
import type { EventRow } from '../event.ts'

/** A delivery that this process has to itself until its lease ends. */
export interface Claimed extends Omit<EventRow, 'data'> {
  /** null where the log no longer holds the event. */
  data: Record<string, unknown> | null
  id: number
  webhook_id: number
  attempt: number
  step: number
  url: string
  secret: Buffer
  former_secret: Buffer | null
  /** Now, in seconds since 1970. */
  now: number
}

/** Who has said nothing for so long is dead: an attempt takes a quarter of it at most. */
const LEASE_SECONDS = 120
/** Attempts on their way to one receiver, by all processes; one that fails is asked one thing at a time. */
export const PARALLEL = 4
/** A receiver that has failed so often in a row is left alone for a while, longer and longer. */
const FAILURES_BEFORE_REST = 5
const MOST_REST_SECONDS = 300

/** Whoever holds the row chooses; a statement of its own, so that the next one sees what others have taken before it. */
const ENDPOINT = `
  select id, url, secret, case when former_secret_until > now() then former_secret end as former_secret, failures from webhooks
  where id = $1 and is_active and (paused_until is null or paused_until <= now()) for no key update`
/** Those that were due first, so many that no more than the third value are on their way. */
const CLAIM = `
  with busy as (
    select count(*)::int as n from webhook_deliveries where webhook_id = $1 and status = 'sending' and due_at > now()),
  due as (
    select d.id from webhook_deliveries d where d.webhook_id = $1 and d.status in ('pending', 'sending') and d.due_at <= now()
    order by d.due_at, d.id limit greatest(0, least($2, $3 - (select n from busy)))
    for update of d skip locked),
  claimed as (
    update webhook_deliveries d set status = 'sending', attempt = d.attempt + 1, due_at = now() + make_interval(secs => ${LEASE_SECONDS})
    from due where d.id = due.id returning d.*)
  select c.id, c.webhook_id, c.site_id, c.epoch, c."offset", c.type, c.attempt, c.step, e.at, e.actor, e.data,
    extract(epoch from clock_timestamp())::bigint as now
  from claimed c left join events e on e.tenant_id = c.tenant_id and e.site_id = c.site_id and e."offset" = c."offset"
    and e.at >= coalesce(c.event_at, '-infinity') and e.at <= coalesce(c.event_at, 'infinity')
  order by c.id`
type Endpoint = Pick<Claimed, 'url' | 'secret' | 'former_secret'> & { failures: number }

/** Takes up to `most` deliveries of an endpoint that may begin now. */
export async function claimDeliveries(tx: Tx, webhookId: number, most: number): Promise<Claimed[]> {
  const endpoint = await tx.maybe<Endpoint>(ENDPOINT, [webhookId])
  if (!endpoint) return []
  const { failures, url, secret, former_secret } = endpoint
  const rows = await tx.query<Omit<Claimed, keyof Endpoint>>(CLAIM, [webhookId, most, failures > 0 ? 1 : PARALLEL])
  return rows.map((row) => ({ ...row, url, secret, former_secret }))
}

/** What came of an attempt. */
export interface Result {
  status: 'delivered' | 'pending' | 'failed'
  status_code: number | null
  error_code: string | null
  duration_ms: number
  request_body: string
  response_body: string | null
  /** Until the next attempt of this delivery. */
  wait_ms: number
  /** How long the receiver asks to be left alone. */
  rest_ms: number | null
}

/** Only whoever holds the lease may say what came of it; the record of the attempt is written with it. */
const SETTLE = `
  with settled as (
    update webhook_deliveries set status = $3, status_code = $4, error_code = $5,
      step = case when $3 = 'pending' then step + 1 else step end,
      due_at = now() + make_interval(secs => $6::float8 / 1000),
      delivered_at = case when $3 = 'delivered' then now() else delivered_at end
    where id = $1 and attempt = $2 and status = 'sending' returning id)
  insert into webhook_attempts (delivery_id, attempt, at, duration_ms, status_code, error_code, request_body, response_body)
  select id, $2, clock_timestamp() - make_interval(secs => $7::float8 / 1000), $7, $4, $5, $8, $9 from settled
  returning delivery_id`
/** The row of a receiver that goes well is written at most once a minute. */
const WENT_WELL = `
  update webhooks set failures = 0, failing_since = null, paused_until = null, delivered_at = now()
  where id = $1 and (failures > 0 or failing_since is not null or delivered_at is null or delivered_at < now() - interval '1 minute')`
const WENT_WRONG = `
  update webhooks set failures = failures + 1, failing_since = coalesce(failing_since, now()),
    paused_until = greatest(paused_until, now() + make_interval(secs => coalesce($2::float8 / 1000, 0)),
      case when failures + 1 >= ${FAILURES_BEFORE_REST} then
        now() + make_interval(secs => least(${MOST_REST_SECONDS}, 5 * 2 ^ least(failures + 1 - ${FAILURES_BEFORE_REST}, 10))) end)
  where id = $1 returning failing_since < now() - interval '3 days' as has_failed_long`

/** @returns whether the receiver has failed for so long that it is to be left alone for good */
export async function settleDelivery(tx: Tx, { id, webhook_id, attempt }: Claimed, result: Result): Promise<boolean> {
  const { status, status_code, error_code, wait_ms, duration_ms, request_body, response_body, rest_ms } = result
  const own = await tx.maybe(SETTLE, [
    id,
    attempt,
    status,
    status_code,
    error_code,
    wait_ms,
    duration_ms,
    request_body,
    response_body,
  ])
  // Somebody else has it: the lease ended while this process stood still.
  if (!own) return false
  if (status === 'delivered') {
    await tx.query(WENT_WELL, [webhook_id])
    return false
  }
  const row = await tx.maybe<{ has_failed_long: boolean }>(WENT_WRONG, [webhook_id, rest_ms])
  return row?.has_failed_long ?? false
}
