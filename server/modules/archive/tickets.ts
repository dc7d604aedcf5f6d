import type { Database, Tx } from '../../kernel/db/types.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { monthOf, ticketsOf } from './content.ts'
import { writeArchive } from './file.ts'
import { historyDays } from './settings.ts'

/** Tickets of one statement: locks are held for some hundredths of a second. */
const BATCH = 1000

/** The month of the oldest ticket, when it ended before both times and nobody of it is still here or known by name. */
const DUE = `
  with oldest as (select date_trunc('month', t.created_at, 'UTC') as month from tickets t where not exists (
      select from archive_files f where f.kept_until > now() and f.name = to_char(t.created_at at time zone 'UTC', '"tickets_"YYYY_MM'))
    order by t.created_at, t.id limit 1),
  due as (
    select o.month from oldest o, tenants t
    where t.id = app.tenant_id()
      and (o.month at time zone 'UTC' + interval '1 month') at time zone 'UTC' < now() - make_interval(days => greatest($1, t.data_retention_days) + 1))
  select to_char(d.month at time zone 'UTC', '"tickets_"YYYY_MM') as name from due d
  where not exists (select from tickets t where t.created_at >= d.month and t.created_at < (d.month at time zone 'UTC' + interval '1 month') at time zone 'UTC'
    and (t.ended_at is null or t.token_hash is not null or t.customer_id is not null))`
const FORGET = `
  with old as (select id from tickets where created_at >= $1 and created_at < $2 order by created_at, id limit ${BATCH} for update),
  booked as (update appointments a set ticket_id = null from old where a.ticket_id = old.id),
  legs as (delete from ticket_legs l using old where l.ticket_id = old.id)
  select id from old`
const REMOVE = 'delete from tickets where id = any($1)'

/**
 * Moves visits of months that ended more than `days` and the organisation's own `data_retention_days` ago to a file a month. What was
 * added up of them stays.
 * @returns names of the files
 */
export async function archiveTickets(db: Database, tenantId: number, days: number): Promise<string[]> {
  const names: string[] = []
  for (let due; (due = await db.reader(tenantId, 'reports').maybe<{ name: string }>(DUE, [days]));) {
    const [begins, ends] = monthOf(due.name)
    await writeArchive(db, tenantId, due.name, ticketsOf(begins, ends))
    while (await db.tenant(tenantId, (tx) => removeSome(tx, begins, ends), 'reports'));
    names.push(due.name)
  }
  return names
}

async function removeSome(tx: Tx, begins: string, ends: string): Promise<boolean> {
  const ids = (await tx.query<{ id: number }>(FORGET, [begins, ends])).map(({ id }) => id)
  // Their legs point at them until the statement before is over.
  if (ids.length > 0) await tx.query(REMOVE, [ids])
  return ids.length === BATCH
}

export const archiveTicketsJob: Job = {
  name: 'archive.tickets',
  nightly: '04:50',
  async run({ runtime: { db } }, { tenant_id }) {
    if (historyDays() > 0) await archiveTickets(db, Number(tenant_id), historyDays())
  },
}
