import Type from 'typebox'
import { MANAGERS, STAFF } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { conflict, invalid, type ConstraintErrors } from '../../kernel/errors.ts'
import { extend, type Extension } from '../../kernel/derived.ts'
import type { Context } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Id, Nullable, Time } from '../../kernel/schema.ts'
import { agentFields, agentReadOnly, KnownSkills, profileSettings, Skills, Status } from './schema.ts'
import { serveQueues } from './serve-queues.ts'
import { AGENT_FACE, refuseWhileBusy, type AgentFace } from './state.ts'
import { copyQueues, settingsOf, type ProfileSettings } from './work-profiles.ts'

export const constraints: ConstraintErrors = {
  agents_one_per_counter: () => conflict('counter_taken'),
  agents_tenant_id_site_id_user_id_key: () => conflict('agent_exists'),
  agents_tenant_id_site_id_counter_id_fkey: () => invalid('/counter_id', 'not_found'),
  agents_tenant_id_user_id_fkey: () => invalid('/user_id', 'not_found'),
}

interface Profiled extends ProfileSettings {
  site_id: number
  work_profile_id: number | null
}
/** What the agent's profile decides. @throws AppError conflict `profile_decides` when that was to be changed here */
async function profileOf(
  ctx: Context,
  next: Profiled,
  before: Profiled | undefined,
): Promise<Partial<ProfileSettings>> {
  if (next.work_profile_id === null) return {}
  const names = Object.keys(profileSettings) as (keyof ProfileSettings)[]
  const isChanged =
    before?.work_profile_id === next.work_profile_id && names.some((name) => !isSame(before, next, name))
  if (isChanged) throw conflict('profile_decides')
  return settingsOf(ctx, next.work_profile_id, next.site_id)
}
const isSame = (a: Profiled, b: Profiled, name: keyof ProfileSettings) =>
  JSON.stringify(a[name]) === JSON.stringify(b[name])

const agents = resource({
  noun: 'agents',
  singular: 'agent',
  table: 'agents',
  fields: agentFields,
  fixed: ['site_id'],
  readOnly: agentReadOnly,
  filters: {
    site: { schema: Id, where: 'site_id = $1' },
    status: { schema: Status, where: 'status = $1' },
    user: { schema: Id, where: 'user_id = $1' },
    work_profile: { schema: Id, where: 'work_profile_id = $1' },
    queue: { schema: Id, where: 'id in (select agent_id from agent_queues where queue_id = $1)' },
    is_active: { schema: agentFields.is_active, where: 'is_active = $1' },
  },
  search: ['name'],
  orderings: ['name', 'created_at'],
  scopes: { read: 'read:agent', write: 'write:agent' },
  roles: { read: STAFF, write: MANAGERS },
  example: { site_id: 1, name: 'Samira', counter_id: 1 },
  constraints,
  siteOf: (agent) => agent.site_id,
  async prepare(ctx, agent, before) {
    const own = agent.is_active ? agent : { ...agent, counter_id: null }
    const next = { ...own, ...(await profileOf(ctx, own, before)) }
    if (before && (before.counter_id !== next.counter_id || before.is_active !== next.is_active)) {
      await refuseWhileBusy(ctx.tx, before.id, 'agent_busy')
    }
    return next
  },
})

const extension: Extension = {
  table: 'agents',
  properties: {
    counter_name: Nullable(Type.String()),
    queues: KnownSkills,
    /** A console of the agent is connected, or was a moment ago. */
    is_online: Type.Boolean(),
    last_seen_at: Nullable(Time),
  },
  derive: ({ tx }, rows) =>
    tx.query(
      `select a.status, a.status_since, (select c.name from counters c where c.tenant_id = a.tenant_id and c.id = a.counter_id) as counter_name,
              coalesce((select json_agg(json_build_object('queue_id', s.queue_id, 'weight', s.weight) order by s.queue_id)
                        from agent_queues s where s.tenant_id = a.tenant_id and s.agent_id = a.id), '[]') as queues,
              coalesce(p.is_online, false) as is_online, p.last_seen_at
       from unnest($1::bigint[]) with ordinality as wanted(id, n) join agents a using (id)
       left join presences p on p.kind = 'agent' and p.id = a.id order by n`,
      [rows.map((row) => row.id)],
    ),
  inputs: { queues: Type.Optional(Skills) },
  async written(ctx, row, { queues }) {
    if (!row['is_active']) {
      await ctx.tx.query(
        `update agents set status = 'offline', status_since = now() where id = $1 and status <> 'offline'`,
        [row.id],
      )
    }
    const profileId = row['work_profile_id'] as number | null
    if (profileId !== null && queues !== undefined) throw conflict('profile_decides')
    if (profileId !== null) await copyQueues(ctx, row.id, profileId)
    else if (queues !== undefined) await serveQueues(ctx, 'agent', row.id, queues as Type.Static<typeof Skills>)
  },
  async event(ctx, event, row) {
    const gone = event.data['agent'] as AgentFace
    const [face] = await ctx.tx.query<AgentFace>(`select ${AGENT_FACE} from agents a where a.id = $1`, [row.id])
    const { id, name, site_id } = gone
    const agent = face ?? { id, name, site_id, status: 'offline', counter_id: null, counter_name: null, queue_ids: [] }
    return { ...event, agent_id: id, data: { agent } }
  },
}
export const agentOperations = extend(agents, extension)

/** An agent on the wire. */
export const Agent = agentOperations.find(({ id }) => id === 'agents.get')!.output
export async function agentById(tx: Tx, id: number): Promise<Record<string, unknown>> {
  const row = await tx.one<{ id: number }>(`select ${agents.columns} from agents where id = $1`, [id])
  const [derived] = await extension.derive({ tx } as Context, [row])
  return { ...row, ...derived }
}
