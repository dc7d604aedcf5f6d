import type { Tx } from '../../kernel/db/types.ts'
import type { Operation, Request } from '../../kernel/operation.ts'

/** Where each thing that sites share is used, by the noun of its address; site 0 is the whole organisation. */
const USES = {
  services: 'select q.site_id, q.id as queue_id from queues q where q.service_id = r.id',
  playlists: 'select d.site_id, null::bigint as queue_id from displays d where d.playlist_id = r.id',
  media: `
    select d.site_id, null::bigint as queue_id from playlists p join displays d on d.playlist_id = p.id
    where p.items -> 'list' @> jsonb_build_array(jsonb_build_object('media_id', r.id))
    union all
    select m.site_id, m.queue_id from ar_markers m where (m.marker_data ->> 'media_id')::bigint = r.id
    union all
    select 0, null from tenants t where t.id = app.tenant_id() and t.logo_media_id = r.id`,
} as const
type Shared = keyof typeof USES

/** What a change of one changes wherever it is used. */
export function sharedThing(op: Operation): Shared | undefined {
  const noun = op.http.path.split('/')[1] as Shared
  return op.kind === 'mutation' && noun in USES && 'id' in (op.input.properties as object) ? noun : undefined
}

const BEYOND = `u.site_id <> all(r.sites) or u.queue_id <> all(r.queues)
  or (r.queues is not null and not exists (select from queues o where o.id = any(r.queues) and o.site_id = u.site_id))`
/** A service that is offered elsewhere alone is not even seen: the operation itself says so. */
const elsewhere = (noun: Shared) => `
  select r.n::int from jsonb_to_recordset($1::jsonb) as r(n int, id bigint, sites bigint[], queues bigint[])
  where exists (select from (${USES[noun]}) u where ${BEYOND})
    ${noun === 'services' ? `and exists (select from (${USES[noun]}) u where (${BEYOND}) is not true)` : ''}`

/**
 * Of the requests those whose limited caller would change what is used at a place beyond the limits. What is used
 * nowhere yet is everybody's.
 */
export async function usedElsewhere(tx: Tx, noun: Shared, requests: readonly Request[]): Promise<Set<number>> {
  const asked = requests.map(({ actor, input }, n) => ({
    n,
    id: (input as { id: number }).id,
    sites: actor.siteIds ?? null,
    queues: actor.queueIds ?? null,
  }))
  const limited = asked.filter(({ sites, queues }) => sites !== null || queues !== null)
  const rows = await tx.query<{ n: number }>(elsewhere(noun), [JSON.stringify(limited)])
  return new Set(rows.map(({ n }) => n))
}
