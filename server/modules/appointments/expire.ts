import type { Context } from '../../kernel/operation.ts'
import { tell } from './events.ts'
import { offerSoon } from './offer-soon.ts'
import { APPOINTMENT_COLUMNS, type Appointment } from './schema.ts'

/** Ended in one statement; the sweep comes again while there are more. */
export const MOST = 200

const EXPIRE = `
  update appointments a set status = 'expired', ended_at = now(), end_reason = 'not_confirmed', updated_at = now()
  where a.id in (
    select h.id from appointments h where h.status = 'held' and h.hold_expires_at <= now() and ($1::bigint is null or h.site_id = $1)
    order by h.id limit ${MOST} for no key update skip locked)
  returning ${APPOINTMENT_COLUMNS}`

/** Ends the holds that nobody confirmed in time, at one site or everywhere. */
export async function expireHolds(ctx: Context, siteId: number | null): Promise<number> {
  const rows = await ctx.tx.query<Appointment>(EXPIRE, [siteId])
  for (const row of rows) tell(ctx, 'expired', row, 'held')
  for (const id of new Set(rows.map(({ site_id }) => site_id))) await offerSoon(ctx, id)
  return rows.length
}
