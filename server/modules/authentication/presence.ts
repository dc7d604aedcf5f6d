import type { Context } from '../../kernel/operation.ts'

/** Who has just been heard of. */
export interface Heard {
  agent_ids?: readonly number[]
  device_ids?: readonly number[]
}
export interface PresenceRow {
  kind: 'agent' | 'device'
  id: number
  site_id: number
}

/** Those who exist, in one order, so that two processes never wait for each other. */
const NOTE = `
  with heard as (
    select 'agent' as kind, a.id, a.site_id from agents a where a.id = any($1)
    union all
    select 'device', d.id, d.site_id from devices d where d.id = any($2) and d.revoked_at is null),
  known as (select p.kind, p.id from presences p join heard h on h.kind = p.kind and h.id = p.id where p.is_online),
  noted as (
    insert into presences (kind, id, site_id) select kind, id, site_id from heard order by kind, id
    on conflict (tenant_id, kind, id)
      do update set is_online = true, last_seen_at = clock_timestamp(), site_id = excluded.site_id
    returning kind, id, site_id)
  select n.kind, n.id, n.site_id from noted n where not exists (
    select from known k where k.kind = n.kind and k.id = n.id)`

/** Notes that agents and devices are there; whoever was not before is announced to those who watch the site. */
export async function notePresence(ctx: Context, { agent_ids = [], device_ids = [] }: Heard): Promise<void> {
  for (const row of await ctx.tx.query<PresenceRow>(NOTE, [agent_ids, device_ids])) emitPresence(ctx, row, true)
}

export function emitPresence(ctx: Context, { kind, id, site_id }: PresenceRow, is_online: boolean): void {
  ctx.emit({ type: 'presence.changed', site_id, data: { presence: { kind, id, is_online } } })
}
