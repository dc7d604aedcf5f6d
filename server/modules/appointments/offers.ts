import Type from 'typebox'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Id } from '../../kernel/schema.ts'
import { writeAppointment } from './book.ts'
import { expireHolds } from './expire.ts'
import { firstFree, type Stretches, type Waiter } from './first-free.ts'
import { SEND_CONFIRMATION } from './job-names.ts'
import { findPlace, lockSite } from './place.ts'
import { CONFIRM_HOURS } from './waiting-list.ts'

/** Read at a time. */
const MOST = 200

/** Those of a queue that takes no appointments any more stay on the list, in case it takes some again. */
const WAITERS = `
  select w.id, w.site_id, w.queue_id, q.service_id, s.timezone, w.customer_id, w.from_day, w.to_day, w.party_size, w.language,
    (now() at time zone s.timezone)::date as today, b.offer_seconds
  from appointment_waiters w
  join sites s on s.tenant_id = w.tenant_id and s.id = w.site_id
  join queues q on q.tenant_id = w.tenant_id and q.id = w.queue_id
  join booking_settings b on b.tenant_id = w.tenant_id and b.queue_id = w.queue_id
  where w.status = 'waiting' and w.site_id = $1 and w.id > $2 order by w.id limit ${MOST} for no key update of w`
/** Nobody waits for days that are over, and nothing for a confirmation that never came. */
const END = `
  update appointment_waiters w set status = case when w.status = 'unconfirmed' then 'expired' else 'over' end from sites s
  where s.tenant_id = w.tenant_id and s.id = w.site_id and (
    w.status in ('waiting', 'unconfirmed') and w.to_day < (now() at time zone s.timezone)::date
    or w.status = 'unconfirmed' and w.created_at < now() - interval '${CONFIRM_HOURS} hours')`

export const offerPlaces = operation({
  id: 'waiting-list.offer',
  kind: 'mutation',
  summary: 'Offer places that came free to those who wait for one',
  description: 'One after the other, in the order they asked; what is offered is held for `offer_seconds`.',
  scope: 'write:ticket',
  roles: ['system'],
  http: { method: 'POST', path: '/waiting-list/offer/' },
  input: Closed({ site_id: Type.Optional(Id) }),
  output: Closed({ count: Type.Integer({ minimum: 0 }), more: Type.Boolean() }),
  example: { input: {} },
  async run(ctx, { site_id }) {
    await ctx.tx.query(END)
    const sites = await ctx.tx.query<{ id: number }>(
      `select distinct site_id as id from appointment_waiters w where status = 'waiting' and ($1::bigint is null or site_id = $1)
       order by site_id`,
      [site_id ?? null],
    )
    let count = 0
    for (const { id } of sites) {
      const offered = await offerAt(ctx, id)
      count += offered
    }
    return { count, more: false }
  },
})

/** Bookings of the site wait meanwhile: what is offered here cannot be taken by somebody else. */
async function offerAt(ctx: Context, siteId: number): Promise<number> {
  await lockSite(ctx, siteId)
  await expireHolds(ctx, siteId)
  const stretches: Stretches = new Map()
  let count = 0
  let last = 0
  for (;;) {
    const waiters = await ctx.tx.query<Waiter>(WAITERS, [siteId, last])
    for (const waiter of waiters) if (await offer(ctx, waiter, stretches)) count++
    if (waiters.length < MOST) return count
    last = waiters.at(-1)!.id
  }
}

async function offer(ctx: Context, waiter: Waiter, stretches: Stretches): Promise<boolean> {
  const start_at = await firstFree(ctx, waiter, stretches)
  if (start_at === undefined) return false
  stretches.clear()
  const place = await findPlace(ctx, { ...waiter, start_at, isStranger: true, isOffer: true })
  const row = await writeAppointment(ctx, waiter, place, {
    ...waiter,
    status: 'held',
    channel: 'web',
    note: '',
    hold_seconds: waiter.offer_seconds,
  })
  await ctx.tx.query(`update appointment_waiters w set status = 'offered', appointment_id = $2 where w.id = $1`, [
    waiter.id,
    row.id,
  ])
  await ctx.enqueue(SEND_CONFIRMATION, { appointment_id: row.id, base: ctx.url(''), mail: 'place_offered' })
  return true
}
