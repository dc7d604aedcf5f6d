import type { Context } from '../../../kernel/operation.ts'

export interface MachineRow {
  id: number
  site_id: number
  kiosk_id: number | null
  /** Active queues it offers. */
  queue_ids: number[]
  settings: { offline_numbers?: number }
}

/** The paired device that asks, and what its entry in `kiosks` says; the one not-found error when it is none. */
export function machineOf({ tx, actor }: Pick<Context, 'tx' | 'actor'>): Promise<MachineRow> {
  const id = Number(/^device:(\d+)$/.exec(actor.principal)?.[1] ?? 0)
  return tx.one<MachineRow>(
    `select d.id, d.site_id, d.kiosk_id, coalesce(k.settings, '{}') as settings, array(
       select q.id from queues q where q.site_id = d.site_id and q.is_active and coalesce(k.is_active, true)
         and (k.id is null or cardinality(k.queue_ids) = 0 or q.id = any(k.queue_ids)) order by q.id) as queue_ids
     from devices d left join kiosks k on k.id = d.kiosk_id
     where d.id = $1 and d.kind = 'kiosk' and d.revoked_at is null`,
    [id],
  )
}
