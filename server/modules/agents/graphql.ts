import { childrenOf, type Edge } from '../../kernel/edge.ts'

const byName = {
  order: [
    ['c.name', 'text'],
    ['c.id', 'bigint'],
  ],
} as const
const serves =
  'exists (select 1 from agent_queues s where s.tenant_id = c.tenant_id and s.agent_id = c.id and s.queue_id = p.id)'

export const edges: readonly Edge[] = [
  { types: ['Agent'], field: 'user', summary: 'The person', to: 'users.get', key: 'user_id' },
  { types: ['Agent'], field: 'site', summary: 'Where the agent works', to: 'sites.get', key: 'site_id' },
  { types: ['Agent'], field: 'counter', summary: 'Where the agent sits', to: 'counters.get', key: 'counter_id' },
  {
    types: ['Agent'],
    field: 'work_profile',
    summary: 'The named settings the agent works by',
    to: 'work-profiles.get',
    key: 'work_profile_id',
  },
  { types: ['ServedQueue'], field: 'queue', summary: 'A queue the agent serves', to: 'queues.get', key: 'queue_id' },
  {
    types: ['Queue'],
    field: 'agents',
    summary: 'Agents who serve it, by name',
    to: 'agents.get',
    children: {
      find: (tx, queues, wanted) => childrenOf(tx, { from: 'agents c', where: serves, ...byName }, queues, wanted),
    },
  },
  {
    types: ['Site'],
    field: 'agents',
    summary: 'Agents who work there, by name',
    to: 'agents.get',
    children: {
      find: (tx, sites, wanted) =>
        childrenOf(tx, { from: 'agents c', where: 'c.site_id = p.id', ...byName }, sites, wanted),
    },
  },
]
