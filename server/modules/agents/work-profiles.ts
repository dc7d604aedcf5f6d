import Type from 'typebox'
import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { extend, type Extension } from '../../kernel/derived.ts'
import { conflict, invalid } from '../../kernel/errors.ts'
import { operation, type Context, type Operation } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Closed, Id, Name } from '../../kernel/schema.ts'
import { KnownSkills, profileSettings, Skills } from './schema.ts'
import { serveQueues } from './serve-queues.ts'
import { AGENT_FACE, type AgentFace } from './state.ts'

const profiles = resource({
  noun: 'work-profiles',
  singular: 'work_profile',
  table: 'work_profiles',
  fields: { site_id: Id, name: Name, ...profileSettings },
  fixed: ['site_id'],
  filters: {
    site: { schema: Id, where: 'site_id = $1' },
    queue: { schema: Id, where: 'id in (select work_profile_id from work_profile_queues where queue_id = $1)' },
  },
  search: ['name'],
  within: {
    sites: 'site_id = any($1)',
    queues: 'id in (select work_profile_id from work_profile_queues where queue_id = any($1))',
  },
  orderings: ['name', 'created_at'],
  scopes: { read: 'read:agent', write: 'write:agent' },
  roles: { read: STAFF, write: MANAGERS },
  example: { site_id: 1, name: 'Accueil et passeports', call_mode: 'ratio', max_wait_seconds: 1800 },
  constraints: { work_profiles_tenant_id_site_id_name_key: () => conflict('name_taken') },
  siteOf: (profile) => profile.site_id,
})

/** Everything a profile says, for its agents, whose rows are locked in the order of their ids. */
const APPLY = `
  with own as (select id from agents where work_profile_id = $1 order by id for no key update)
  update agents a set call_mode = p.call_mode, max_wait_seconds = p.max_wait_seconds, skills = p.skills,
    languages = p.languages, updated_at = now()
  from own, work_profiles p where a.id = own.id and p.id = $1`
const DROP_QUEUES = `
  delete from agent_queues s using agents a where a.work_profile_id = $1 and a.id = s.agent_id
    and not exists (select from work_profile_queues w where w.work_profile_id = $1 and w.queue_id = s.queue_id)`
const ADD_QUEUES = `
  insert into agent_queues (agent_id, queue_id, weight)
  select a.id, w.queue_id, w.weight from agents a join work_profile_queues w on w.work_profile_id = a.work_profile_id
  where a.work_profile_id = $1
  on conflict (tenant_id, agent_id, queue_id) do update set weight = excluded.weight`

const extension: Extension = {
  table: 'work_profiles',
  properties: {
    queues: KnownSkills,
    /** How many agents have it. */
    agent_count: Type.Integer({ minimum: 0 }),
  },
  derive: ({ tx }, rows) =>
    tx.query(
      `select coalesce((select json_agg(json_build_object('queue_id', w.queue_id, 'weight', w.weight) order by w.queue_id)
                        from work_profile_queues w where w.work_profile_id = wanted.id), '[]') as queues,
              (select count(*) from agents a where a.work_profile_id = wanted.id)::int as agent_count
       from unnest($1::bigint[]) with ordinality as wanted(id, n) order by n`,
      [rows.map((row) => row.id)],
    ),
  inputs: { queues: Type.Optional(Skills) },
  async written(ctx, row, { queues }, isNew) {
    if (queues !== undefined) await serveQueues(ctx, 'profile', row.id, queues as Type.Static<typeof Skills>)
    if (!isNew) await applyToAgents(ctx, row.id)
  },
  event: (_ctx, event, row) => ({ ...event, data: { work_profile: row } }),
}

/** The agents work by it from their next call on; boards are told what each serves now. */
async function applyToAgents(ctx: Context, id: number): Promise<void> {
  await ctx.tx.query(APPLY, [id])
  await ctx.tx.query(DROP_QUEUES, [id])
  await ctx.tx.query(ADD_QUEUES, [id])
  const agents = await ctx.tx.query<AgentFace>(
    `select ${AGENT_FACE} from agents a where a.work_profile_id = $1 order by a.id`,
    [id],
  )
  for (const agent of agents)
    ctx.emit({ type: 'agent.updated', site_id: agent.site_id, agent_id: agent.id, data: { agent } })
}

const profileOperations = extend(profiles, extension)
const create = profileOperations.find(({ id }) => id === 'work-profiles.create')!

const SETTINGS = `
  select a.site_id, a.work_profile_id, a.call_mode, a.max_wait_seconds, a.skills, a.languages,
    coalesce((select json_agg(json_build_object('queue_id', s.queue_id, 'weight', s.weight))
              from agent_queues s where s.agent_id = a.id), '[]') as queues
  from agents a where a.id = $1 for no key update of a`

/** One agent's settings become everybody's who wants them. */
const saveProfile = operation({
  id: 'agents.saveProfile',
  kind: 'mutation',
  summary: 'Make a named work profile of an agent’s own settings, and give it to the agent',
  scope: 'write:agent',
  roles: MANAGERS,
  http: { method: 'POST', path: '/agents/{id}/save-profile/', status: 201 },
  input: Closed({ id: Id, name: Name }),
  output: create.output as ReturnType<typeof Closed>,
  example: { input: { id: 1, name: 'Accueil' } },
  constraints: { work_profiles_tenant_id_site_id_name_key: () => conflict('name_taken') },
  async run(ctx, { id, name }) {
    const { work_profile_id, ...settings } = await ctx.tx.one<{ work_profile_id: number | null }>(SETTINGS, [id])
    if (work_profile_id !== null) throw conflict('profile_decides')
    const profile = (await create.run(ctx, { ...settings, name })) as { id: number; agent_count: number }
    await ctx.tx.query('update agents set work_profile_id = $2, updated_at = now() where id = $1', [id, profile.id])
    await applyToAgents(ctx, profile.id)
    return { ...profile, agent_count: 1 }
  },
})

export const workProfileOperations: readonly Operation[] = [...profileOperations, saveProfile]

export type ProfileSettings = Type.Static<ReturnType<typeof Closed<typeof profileSettings>>>

/** What a profile of a site says; held as it is until the commit. @throws AppError invalid_input `/work_profile_id` */
export async function settingsOf(ctx: Context, id: number, siteId: number): Promise<ProfileSettings> {
  const settings = await ctx.tx.maybe<ProfileSettings>(
    'select call_mode, max_wait_seconds, skills, languages from work_profiles where id = $1 and site_id = $2 for share',
    [id, siteId],
  )
  if (!settings) throw invalid('/work_profile_id', 'not_found')
  return settings
}

/** The queues and weights of its profile, for an agent who has just been given it. */
export async function copyQueues(ctx: Context, agentId: number, profileId: number): Promise<void> {
  const queues = await ctx.tx.query<{ queue_id: number; weight: number }>(
    'select queue_id, weight from work_profile_queues where work_profile_id = $1 order by queue_id',
    [profileId],
  )
  await serveQueues(ctx, 'agent', agentId, queues)
}
