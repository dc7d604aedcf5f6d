import { testSeed } from '../../../config.ts'
import type { Direct } from '../../../kernel/db/index.ts'
import type { TenantFixture, TenantShape } from '../../../test/factories.ts'

/** Where the sites of the busy days are: with clocks that change, far west, far east. */
const ZONES = ['Europe/Paris', 'America/Martinique', 'Pacific/Auckland'] as const
const ACTS = 260
/** How long the few seconds of the real acts become. */
const HOURS = 54

type Owner = Direct['query']
/** A branch of the ticket module's tests. */
interface Branch extends TenantFixture {
  run(id: string, input: Record<string, unknown>): Promise<unknown>
  take(input: Record<string, unknown>): Promise<{ id: number }>
  callNext(agentIndex: number): Promise<{ id: number } | null>
}

/**
 * Days on which everything happens: live operations at three sites (transfers, returns, missed turns, holds, undos, people who
 * leave), whose instants are then drawn apart to two days and a bit around the last change of the clocks in Paris.
 */
export async function busyDays(lab: {
  owner: Owner
  branch(shape: TenantShape): Promise<Branch>
}): Promise<Branch & { from: string; to: string }> {
  const b = await lab.branch({ sites: ZONES.length, queues: 3, agents: 2 })
  for (const [i, zone] of ZONES.entries())
    await lab.owner('update sites set timezone = $2 where id = $1', [b.sites[i]!.id, zone])
  let state = testSeed() ?? 11
  const dice = (sides: number) => (state = (state * 48_271) % 2_147_483_647) % sides
  const may = (work: Promise<unknown>) => work.catch(() => {})
  const channels = ['kiosk', 'reception', 'web', 'appointment']
  const ids: number[] = []
  for (let i = 0; i < ACTS; i++) {
    const queue = b.queues[dice(b.queues.length)]!
    const id = ids[dice(Math.max(1, ids.length))]
    const act = dice(20)
    if (act < 9 || id === undefined) ids.push((await b.take({ queue_id: queue.id, channel: channels[dice(4)] })).id)
    else if (act < 14) {
      const ticket = await b.callNext(dice(b.agents.length)).catch(() => null)
      if (!ticket) continue
      const end = dice(8)
      if (end === 0) await may(b.run('tickets.noShow', { id: ticket.id }))
      else await may(b.run('tickets.start', { id: ticket.id }))
      if (end === 1) await may(b.run('tickets.hold', { id: ticket.id }))
      else if (end === 2) await may(b.run('tickets.return', { id: ticket.id }))
      else if (end === 3) await may(b.run('tickets.transfer', { id: ticket.id, queue_id: queue.id }))
      else if (end > 3) await may(b.run('tickets.complete', { id: ticket.id }))
    } else if (act === 14) await may(b.run('tickets.cancel', { id }))
    else if (act === 15) await may(b.run('tickets.transfer', { id, queue_id: queue.id }))
    else if (act === 16) await may(b.run('tickets.resume', { id }))
    else if (act === 17) await may(b.run('tickets.return', { id, reason: 'back' }))
    else if (act === 18) await may(b.run('tickets.undo', { id }))
    else await may(b.run('tickets.complete', { id }))
  }
  return { ...b, ...(await drawApart(lab.owner, b.tenant.id)) }
}

const TICKET_TIMES = ['created_at', 'entered_at', 'called_at', 'last_called_at', 'started_at', 'held_at', 'ended_at']
const LEG_TIMES = ['entered_at', 'called_at', 'started_at', 'ended_at']

/** The same order and proportions, at another pace. */
async function drawApart(owner: Owner, tenantId: number): Promise<{ from: string; to: string }> {
  const [{ now, first, last } = { now: '', first: '', last: '' }] = await owner<
    Record<'now' | 'first' | 'last', string>
  >('select now() as now, min(created_at) as first, clock_timestamp() as last from tickets where tenant_id = $1', [
    tenantId,
  ])
  const change = Temporal.Instant.from(now)
    .subtract({ hours: 24 * 5 })
    .toZonedDateTimeISO(ZONES[0])
    .getTimeZoneTransition('previous')!
  const start = change.toInstant().subtract({ hours: 30 }).toString()
  const factor =
    (HOURS * 3600) /
    (Number(Temporal.Instant.from(last).epochMilliseconds - Temporal.Instant.from(first).epochMilliseconds) / 1000)
  const moved = (columns: readonly string[]) =>
    columns.map((name) => `${name} = $2::timestamptz + (${name} - $3::timestamptz) * $4::float8`).join(', ')
  const values = [tenantId, start, first, factor]
  await owner(`update tickets set ${moved(TICKET_TIMES)} where tenant_id = $1`, values)
  await owner(`update ticket_legs set ${moved(LEG_TIMES)} where tenant_id = $1`, values)
  await owner(`update events set ${moved(['at'])} where tenant_id = $1`, values)
  await owner(
    `update tickets t set day = (t.created_at at time zone s.timezone)::date,
       rating = case when t.status = 'terminé' and t.id % 2 = 0 then 1 + t.id % 5 end,
       rated_at = case when t.status = 'terminé' and t.id % 2 = 0 then t.ended_at end
     from sites s where t.tenant_id = $1 and s.tenant_id = t.tenant_id and s.id = t.site_id`,
    [tenantId],
  )
  await owner(
    `update ticket_legs set held_seconds = floor(extract(epoch from ended_at - started_at) / 3)
     where tenant_id = $1 and started_at is not null and ticket_id % 3 = 0`,
    [tenantId],
  )
  await owner(
    `insert into ticket_estimates (tenant_id, ticket_id, queue_id, at, low_seconds, median_seconds, high_seconds)
     select t.tenant_id, t.id, e.queue_id, e.entered_at + interval '1 second',
       -- Some promises hold however the real acts fell: they take no longer than the days do.
       case when t.id % 5 = 0 then 0 else 60 * (t.id % 20) end, 60 * (20 + t.id % 60),
       case when t.id % 5 = 0 then ${HOURS * 3600 * 2} else 60 * (90 + t.id % 300) end
     from tickets t cross join lateral (
       select l.queue_id, l.entered_at from ticket_legs l where l.tenant_id = t.tenant_id and l.ticket_id = t.id
       union all select t.queue_id, t.entered_at where t.ended_at is null order by 2 limit 1) e
     where t.tenant_id = $1 and t.id % 4 <> 0`,
    [tenantId],
  )
  // A queue that promises more, so that goals differ.
  await owner(`update queues set goal_seconds = 86000 where tenant_id = $1 and id % 2 = 0`, [tenantId])
  const day = Temporal.Instant.from(start).toZonedDateTimeISO('UTC').toPlainDate()
  return { from: day.subtract({ days: 1 }).toString(), to: day.add({ days: 5 }).toString() }
}
