import Type from 'typebox'
import { STAFF, systemActor } from '../../kernel/access.ts'
import type { Runtime } from '../../kernel/execute.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { operation, type Tenant } from '../../kernel/operation.ts'
import { Closed, Id, Seconds } from '../../kernel/schema.ts'
import { emitPresence, notePresence, type PresenceRow } from '../authentication/index.ts'
import { mayActAs } from './permission.ts'
import { AGENT_FACE, type AgentFace } from './state.ts'

/** Longer than a reload, a change of networks or of processes takes; shorter than people take to wonder. */
export const AGENT_SILENCE_SECONDS = 20
/** Machines speak once a minute. */
export const DEVICE_SILENCE_SECONDS = 180

const Ids = Type.Array(Id, { maxItems: 10_000 })

export const reportPresence = operation({
  id: 'presence.report',
  kind: 'mutation',
  summary: 'Note whose console or screen is connected',
  unaudited: 'comes every few seconds from every process and tells nothing but who is there',
  scope: 'write:agent',
  roles: ['system'],
  http: { method: 'POST', path: '/presence/report/' },
  input: Closed({ agent_ids: Ids, device_ids: Ids }),
  output: Type.Null(),
  example: { input: { agent_ids: [1], device_ids: [] } },
  async run(ctx, { agent_ids, device_ids }) {
    await notePresence(ctx, { agent_ids, device_ids })
    if (device_ids.length)
      await ctx.tx.query('update devices set last_seen_at = now() where id = any($1) and revoked_at is null', [
        device_ids,
      ])
    return null
  },
})

export const heartbeat = operation({
  id: 'agents.heartbeat',
  kind: 'mutation',
  summary: 'An agent’s console tells that it is there',
  description: 'For consoles that follow no feed of the agent: at least once in half of `expires_in`.',
  unaudited: 'comes every few seconds and changes nothing but when the agent was last seen',
  scope: 'write:agent',
  roles: STAFF,
  http: { method: 'POST', path: '/agents/{id}/heartbeat/' },
  input: Closed({ id: Id }),
  output: Closed({ expires_in: Seconds }),
  example: { input: { id: 1 } },
  async run(ctx, { id }) {
    mayActAs(ctx.actor, await ctx.tx.one<{ user_id: number | null }>('select user_id from agents where id = $1', [id]))
    await notePresence(ctx, { agent_ids: [id] })
    return { expires_in: AGENT_SILENCE_SECONDS }
  },
})

/** Rows another process is at are left to it. */
const SILENT = `
  with silent as (
    select p.kind, p.id from presences p
    where p.is_online and p.last_seen_at < now() - make_interval(secs => case p.kind when 'agent' then $1::int else $2::int end)
    order by p.kind, p.id for update skip locked)
  update presences p set is_online = false from silent s where p.kind = s.kind and p.id = s.id
  returning p.kind, p.id, p.site_id`

/** A break is meant, and a ticket in hand must be ended by somebody: neither is taken away. */
const SEND_OFF = `
  with gone as (
    select id from agents where id = any($1) and status in ('available', 'wrap_up') order by id for no key update)
  update agents a set status = 'offline', status_reason = 'connection_lost', expected_return_at = null, status_since = now()
  from gone where a.id = gone.id returning ${AGENT_FACE}`

export const sweepPresence = operation({
  id: 'presence.sweep',
  kind: 'mutation',
  summary: 'Note who has not been heard of for a while',
  description:
    `An agent is gone after ${AGENT_SILENCE_SECONDS} s without a connected console or a heartbeat, and is offline then if ` +
    `available or wrapping up; the seat is kept. A device is gone after ${DEVICE_SILENCE_SECONDS} s.`,
  unaudited: 'follows from what was not heard; every change of an agent is an event',
  scope: 'write:agent',
  roles: ['system'],
  http: { method: 'POST', path: '/presence/sweep/' },
  input: Closed({}),
  output: Closed({ gone: Type.Integer() }),
  example: { input: {} },
  async run(ctx) {
    const rows = await ctx.tx.query<PresenceRow>(SILENT, [AGENT_SILENCE_SECONDS, DEVICE_SILENCE_SECONDS])
    const agentIds = rows.filter(({ kind }) => kind === 'agent').map(({ id }) => id)
    for (const row of rows) emitPresence(ctx, row, false)
    const faces = agentIds.length ? await ctx.tx.query<AgentFace>(SEND_OFF, [agentIds]) : []
    for (const agent of faces)
      ctx.emit({ type: 'agent.status_changed', site_id: agent.site_id, agent_id: agent.id, data: { agent } })
    return { gone: rows.length }
  },
})

/** Sweeps every organisation where somebody has fallen silent; any number of processes may do it at once. */
export async function sweepSilent(
  runtime: Runtime,
  tenantById: (id: number) => Promise<Tenant | undefined>,
): Promise<void> {
  const rows = await runtime.db.platform((tx) =>
    tx.query<{ tenant_id: number }>('select tenant_id from app.silent_tenants($1, $2)', [
      AGENT_SILENCE_SECONDS,
      DEVICE_SILENCE_SECONDS,
    ]),
  )
  for (const { tenant_id } of rows) {
    const tenant = await tenantById(tenant_id)
    if (tenant)
      await runtime.execute(sweepPresence, { actor: systemActor(tenant.id), tenant, locale: tenant.locale, input: {} })
  }
}

/** Processes with live feeds sweep every few seconds; this is for when none runs. */
export const presenceJob: Job = {
  name: 'presence.sweep',
  schedule: '* * * * *',
  async run({ runtime, tenants }) {
    const all = await tenants()
    await sweepSilent(runtime, async (id) => all.find((tenant) => tenant.id === id))
  },
}
