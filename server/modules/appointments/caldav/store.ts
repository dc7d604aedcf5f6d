import type { Tx } from '../../../kernel/db/types.ts'
import type { Runtime } from '../../../kernel/execute.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import type { Calendar } from './dav.ts'

/** A link that this process has to itself until `claimed_until`. */
export interface Link {
  id: number
  /** Number of the claim; whoever comes after another's end has the next. */
  claim: number
  site_id: number
  queue_id: number | null
  agent_id: number | null
  url: string
  username: string
  password: Buffer
  sync_token: string | null
  timezone: string
  now: string
  /** The last reading of everything is so old that rules which repeat are to be followed further. */
  is_full_due: boolean
}
export interface Sync {
  runtime: Runtime
  tenant: Tenant
  link: Link
  calendar: Calendar
}

/** Somebody who has been silent for so long is dead; a run ends well before. */
export const CLAIM_SECONDS = 300

const CLAIM = `
  update calendar_links l set claim = l.claim + 1, claimed_until = now() + make_interval(secs => ${CLAIM_SECONDS})
  from sites s
  where l.id = $1 and s.id = l.site_id and (l.claimed_until is null or l.claimed_until < now())
  returning l.id, l.claim, l.site_id, l.queue_id, l.agent_id, l.url, l.username, l.password, l.sync_token, s.timezone, now() as now,
    l.full_at is null or l.full_at < now() - interval '7 days' as is_full_due`
export const claimLink = (tx: Tx, id: number) => tx.maybe<Link>(CLAIM, [id])

/** Writes for a link while it is this process's own. @throws Error when another has claimed it, and nothing is written */
export const inLink = <T>({ runtime: { db }, tenant, link }: Sync, write: (tx: Tx) => Promise<T>): Promise<T> =>
  db.tenant(tenant.id, async (tx) => {
    const own = await tx.maybe('select from calendar_links where id = $1 and claim = $2 for update', [
      link.id,
      link.claim,
    ])
    if (!own) throw new Error('the calendar was claimed by another')
    return write(tx)
  })

const NEXT = `interval '3 minutes'`
/** From half a minute to an hour, twice as long each time. */
const BACKOFF = `make_interval(secs => least(3600, 30 * 2 ^ least(failures, 10)))`

const DONE = `
  update calendar_links set status = 'active', last_error = null, failures = 0, claimed_until = null, sync_token = $2,
    synced_at = now(), next_at = now() + ${NEXT}, full_at = case when $3 then now() else full_at end
  where id = $1`
export const noteDone = (tx: Tx, { id }: Link, token: string | null, isFull: boolean) =>
  tx.query(DONE, [id, token, isFull])

/** A refusal is told at once, a silence once it has lasted. */
const FAILED = `
  update calendar_links set last_error = $2, failures = failures + 1, claimed_until = null, next_at = now() + ${BACKOFF},
    status = case when failures >= 4 or $2 in ('calendar_refused', 'calendar_missing') then 'failing' else status end
  where id = $1`
export async function noteFailed(tx: Tx, { id }: Link, code: string): Promise<void> {
  await tx.query(FAILED, [id, code])
  // A calendar that was taken away as a whole took no appointment with it: another in its place is filled.
  if (code === 'calendar_missing')
    await tx.query(`update calendar_entries set etag = '', sequence = -1 where link_id = $1`, [id])
}
export async function release(tx: Tx, { id }: Link): Promise<void> {
  await tx.query('update calendar_links set claimed_until = null where id = $1', [id])
}
