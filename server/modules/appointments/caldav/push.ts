import { monotonicMs } from '../../../kernel/clock.ts'
import { ENTRIES, resourceOf, uidOf, type Entry } from '../calendar.ts'
import { CHANGED } from './dav.ts'
import { CLAIM_SECONDS, inLink, type Sync } from './store.ts'

/** Written by one run. */
const MOST = 200

interface Due {
  id: number
  name: string | null
  etag: string
  is_wanted: boolean
}
/** What the calendar should have and has not, or has otherwise. */
const DUE = `
  select * from (
    select a.id, e.name, coalesce(e.etag, '') as etag, e.sequence as told, e.is_tentative, a.sequence, a.status, a.start_at,
      (a.status in ('pending', 'booked', 'checked_in') or a.status = 'no_show' and e.appointment_id is not null)
        and ($3::bigint is null or a.queue_id = $3) and ($4::bigint is null or a.agent_id = $4) as is_wanted
    from appointments a left join calendar_entries e on e.link_id = $1 and e.appointment_id = a.id
    where a.site_id = $2 and (e.appointment_id is not null or a.start_at > now())) x
  where case when name is null then is_wanted
    else not is_wanted or told <> sequence or is_tentative <> (status = 'pending') end
  order by start_at, id limit ${MOST}`

const KEEP = `
  insert into calendar_entries (link_id, appointment_id, name, etag, sequence, is_tentative) values ($1, $2, $3, $4, $5, $6)
  on conflict (tenant_id, link_id, appointment_id) do update set etag = excluded.etag, sequence = excluded.sequence,
    is_tentative = excluded.is_tentative`

/** Brings the calendar up to date with what is here. @returns whether more is left, or something changed meanwhile */
export async function push(sync: Sync): Promise<boolean> {
  const { runtime, tenant, link } = sync
  const began = monotonicMs()
  const reader = runtime.db.reader(tenant.id)
  const due = await reader.query<Due>(DUE, [link.id, link.site_id, link.queue_id, link.agent_id])
  const entries = await reader.query<Entry>(`${ENTRIES} where a.id = any($1)`, [due.map(({ id }) => id)])
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  let isMore = due.length === MOST
  for (const each of due) {
    if (monotonicMs() - began > (CLAIM_SECONDS * 1000) / 2) return true
    const entry = byId.get(each.id)
    const isDone = each.is_wanted && entry ? await write(sync, each, entry) : await erase(sync, each)
    if (!isDone) isMore = true
  }
  return isMore
}

async function write(sync: Sync, { id, etag }: Due, entry: Entry): Promise<boolean> {
  const { tenant, link, calendar } = sync
  const name = `appointment-${tenant.id}-${id}.ics`
  const text = resourceOf(tenant, entry)
  let written = await calendar.put(name, text, etag)
  if (written === CHANGED && etag === '') {
    // Left from an earlier connection, or from a run that ended before it could say so.
    const found = (await calendar.read([name])).get(name)
    if (found?.text.includes(uidOf(tenant, id))) written = await calendar.put(name, text, found.etag)
  }
  if (written === CHANGED) return false
  await inLink(sync, (tx) => tx.query(KEEP, [link.id, id, name, written, entry.sequence, entry.status === 'pending']))
  return true
}

async function erase(sync: Sync, { id, name, etag }: Due): Promise<boolean> {
  if (name !== null && etag !== '' && (await sync.calendar.remove(name, etag)) === CHANGED) return false
  await inLink(sync, (tx) =>
    tx.query('delete from calendar_entries where link_id = $1 and appointment_id = $2', [sync.link.id, id]),
  )
  return true
}
