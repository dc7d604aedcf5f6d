import type { QueueStatus } from '../../../shared/ticket-status.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { openState, type QueueConfig } from './config.ts'
import { queueStatus } from './queue-status.ts'

type StatusRow = Pick<
  QueueConfig,
  'id' | 'is_active' | 'max_capacity' | 'timezone' | 'opening_hours' | 'site_is_active'
> & {
  service: QueueConfig['service']
  now: string
  waiting_count: number
  /** As announced last. */
  announced: QueueStatus
}

/** Counting ends at the capacity: a queue of 100 000 without one costs nothing. */
const STATUSES = `
  select q.id, q.is_active, q.max_capacity, s.timezone, s.opening_hours, s.is_active as site_is_active,
         json_build_object('is_active', v.is_active) as service, now() as now, st.status as announced,
         case when q.max_capacity is null then 0 else (
           select count(*) from (
             select from tickets t where t.tenant_id = q.tenant_id and t.queue_id = q.id and t.status = 'en_attente'
             limit q.max_capacity) as counted) end::int as waiting_count
  from queues q
  join sites s on s.tenant_id = q.tenant_id and s.id = q.site_id
  join services v on v.tenant_id = q.tenant_id and v.id = q.service_id
  join queue_states st on st.tenant_id = q.tenant_id and st.queue_id = q.id
  where q.id = any($1)`

/**
 * The states of queues now. `closing` is a forecast, made when estimates are refreshed; it holds while nothing else
 * is the case.
 */
export async function statusesOf(tx: Tx, queueIds: readonly number[]): Promise<Map<number, QueueStatus>> {
  const rows = await tx.query<StatusRow>(STATUSES, [queueIds])
  return new Map(
    rows.map((row) => {
      const { is_open } = openState(row, row.now)
      const status = queueStatus({ ...row, is_open, seconds_to_close: null, eta_seconds: null })
      return [row.id, status === 'open' && row.announced === 'closing' ? 'closing' : status]
    }),
  )
}

/** Writes down the state that the event of this transaction announces. */
export async function announceStatus(tx: Tx, queueId: number): Promise<void> {
  const status = (await statusesOf(tx, [queueId])).get(queueId)
  await tx.query('update queue_states set status = $2 where queue_id = $1 and status <> $2', [queueId, status])
}
