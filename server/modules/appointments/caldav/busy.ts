import type { ReadEvent } from './ics.ts'
import { inLink, type Sync } from './store.ts'

interface Seen {
  listed: ReadonlyMap<string, string | null>
  isComplete: boolean
  /** Events that are not ours and that were read now. */
  foreign: readonly { name: string; event: ReadEvent }[]
}
const FORGET = `
  delete from calendar_busy where link_id = $1 and (name = any($2) or $3 and name <> all($2) or end_at < now() - interval '1 day')`
const KEEP = `
  insert into calendar_busy (link_id, name, start_at, end_at)
  select $1, b.name, b.start_at, b.end_at from unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as b(name, start_at, end_at)
  where b.end_at > b.start_at`

/** Of foreign events an agent's calendar keeps here only when they are: at these times nobody books the agent. */
export async function keepBusy(sync: Sync, { listed, isComplete, foreign }: Seen): Promise<void> {
  if (sync.link.agent_id === null || (listed.size === 0 && !isComplete)) return
  const busy = foreign.flatMap(({ name, event }) =>
    event.isFree ? [] : event.spans.map((span) => ({ name, ...span })),
  )
  await inLink(sync, async (tx) => {
    await tx.query(FORGET, [sync.link.id, [...listed.keys()], isComplete])
    await tx.query(KEEP, [
      sync.link.id,
      busy.map(({ name }) => name),
      busy.map(({ start_at }) => start_at),
      busy.map(({ end_at }) => end_at),
    ])
  })
}
