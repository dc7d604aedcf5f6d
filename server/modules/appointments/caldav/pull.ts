import { systemActor } from '../../../kernel/access.ts'
import { Endless } from '../../../kernel/apart.ts'
import { AppError } from '../../../kernel/errors.ts'
import { applyChange } from './apply.ts'
import { keepBusy } from './busy.ts'
import { CalendarError } from './dav.ts'
import type { ReadEvent } from './ics.ts'
import { eventOf } from './reader.ts'
import { inLink, type Sync } from './store.ts'

/** An appointment as it is, and as the calendar was last told. */
interface Known {
  appointment_id: number
  name: string
  etag: string
  told: number
  sequence: number
  start_at: string
  end_at: string
  is_open: boolean
}
const KNOWN = `
  select e.appointment_id, e.name, e.etag, e.sequence as told, a.sequence, a.start_at, a.end_at,
    a.status in ('pending', 'booked') and a.start_at > now() as is_open
  from calendar_entries e join appointments a on a.id = e.appointment_id where e.link_id = $1`

/** So many and most of what is to come, deleted at once, is an accident of the calendar and nobody's wish. */
const ACCIDENT = 10
/** Somebody's calendar may hold an event whose rule never ends, sent by anybody; one that holds many is meant to. */
const MOST_ENDLESS = 2
/** Longer than any horizon, until everything is read again. */
const AHEAD_DAYS = 740

/**
 * Takes in what was done in the calendar. What changed on both sides since the last time stays as it is here, as does what
 * cannot be had there: such entries are marked, and put back by `push`.
 * @returns the token that the next reading begins from
 */
export async function pull(sync: Sync): Promise<string | null> {
  const { runtime, tenant, link, calendar } = sync
  const known = await runtime.db.reader(tenant.id).query<Known>(KNOWN, [link.id])
  const byName = new Map(known.map((entry) => [entry.name, entry]))
  const { listed, token, isComplete } = await calendar.changes(link.is_full_due ? null : link.sync_token)

  const isGone = ({ name, etag }: Known) =>
    etag !== '' && (isComplete ? listed.get(name) == null : listed.get(name) === null)
  const gone = known.filter(isGone)
  const open = known.filter(({ is_open, etag }) => is_open && etag !== '')
  const lost = gone.filter(({ is_open }) => is_open)
  const isAccident = lost.length >= ACCIDENT && lost.length * 2 > open.length
  for (const entry of gone) {
    if (isAccident && entry.is_open) await putBack(sync, entry, '')
    else await apply(sync, entry, null, '')
  }

  const present = [...listed].flatMap(([name, etag]) => (etag === null ? [] : [{ name, etag }]))
  const wanted = present.filter(({ name, etag }) =>
    byName.has(name) ? byName.get(name)!.etag !== etag : link.agent_id !== null,
  )
  const read = await calendar.read(wanted.map(({ name }) => name))
  const until = Temporal.Instant.from(link.now)
    .add({ hours: 24 * AHEAD_DAYS })
    .toString()
  const foreign: { name: string; event: ReadEvent }[] = []
  let endless = 0
  for (const [name, { etag, text }] of read) {
    const event = await parse(text, { timezone: link.timezone, from: link.now, until })
    if (event === 'endless' && ++endless > MOST_ENDLESS) throw new CalendarError('calendar_answer')
    const entry = byName.get(name)
    if (entry) await compare(sync, entry, etag, text)
    else if (event && event !== 'endless' && !event.uid.startsWith(`appointment-${tenant.id}-`))
      foreign.push({ name, event })
  }
  await keepBusy(sync, { listed, isComplete, foreign })
  return token
}

/** An own event that was touched over there. */
async function compare(sync: Sync, entry: Known, etag: string, text: string): Promise<void> {
  const always = { from: '1970-01-01T00:00:00Z', until: '2999-01-01T00:00:00Z' }
  const read = await parse(text, { timezone: sync.link.timezone, ...always })
  const event = read === 'endless' ? undefined : read
  const [span] = event?.spans ?? []
  const isSame = (a: string, b: string) => Temporal.Instant.compare(a, b) === 0
  if (!event || event.isRepeated || !span) return putBack(sync, entry, etag)
  if (event.isCancelled) return apply(sync, entry, null, etag)
  if (!isSame(span.start_at, entry.start_at)) return apply(sync, entry, span.start_at, etag)
  if (!isSame(span.end_at, entry.end_at)) return putBack(sync, entry, etag)
  // Words and reminders over there are that person's own affair.
  await note(sync, entry, etag, entry.told)
}

async function apply(sync: Sync, entry: Known, start_at: string | null, etag: string): Promise<void> {
  const { runtime, tenant, link } = sync
  // Of what is over, or ended here meanwhile, only the place in the calendar is noted.
  if (!entry.is_open && start_at === null) return note(sync, entry, etag, entry.told)
  if (entry.told !== entry.sequence) return putBack(sync, entry, etag)
  const input = { id: link.id, appointment_id: entry.appointment_id, sequence: entry.told, start_at, etag }
  try {
    const request = { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input }
    const { applied } = (await runtime.execute(applyChange, request)).output as { applied: boolean }
    if (!applied) await putBack(sync, entry, etag)
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
    await putBack(sync, entry, etag)
  }
}

/** No appointment has this number, so that `push` finds the entry to be different. */
const putBack = (sync: Sync, entry: Known, etag: string) => note(sync, entry, etag, -1)

const note = (sync: Sync, { appointment_id }: Known, etag: string, told: number): Promise<void> =>
  inLink(sync, async (tx) => {
    await tx.query('update calendar_entries set etag = $3, sequence = $4 where link_id = $1 and appointment_id = $2', [
      sync.link.id,
      appointment_id,
      etag,
      told,
    ])
  })

/** Undefined for what cannot be read. */
async function parse(...asked: Parameters<typeof eventOf>): Promise<ReadEvent | 'endless' | undefined> {
  try {
    return await eventOf(...asked)
  } catch (error) {
    return error instanceof Endless ? 'endless' : undefined
  }
}
