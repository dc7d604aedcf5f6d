import type { Context } from '../../kernel/operation.ts'
import { OFFER_PLACES } from './job-names.ts'

const ANYBODY = `select exists (select from appointment_waiters w where w.site_id = $1 and w.status = 'waiting') as waits`

/** A place of the site has come free: who waits for one is offered it after the commit. */
export async function offerSoon(ctx: Context, siteId: number): Promise<void> {
  const { waits } = await ctx.tx.one<{ waits: boolean }>(ANYBODY, [siteId])
  if (waits)
    await ctx.enqueue(OFFER_PLACES, { site_id: siteId }, { job_key: `${OFFER_PLACES}:${ctx.tenant.id}:${siteId}` })
}
