import { childrenOf, type Edge } from '../../kernel/edge.ts'

const byName = {
  order: [
    ['c.name', 'text'],
    ['c.id', 'bigint'],
  ],
} as const

export const edges: readonly Edge[] = [
  { types: ['Queue'], field: 'site', summary: 'Where it is', to: 'sites.get', key: 'site_id' },
  { types: ['Queue'], field: 'service', summary: 'What people come for', to: 'services.get', key: 'service_id' },
  { types: ['QueueRule'], field: 'queue', summary: 'The queue it rules', to: 'queues.get', key: 'queue_id' },
  {
    types: ['Site'],
    field: 'queues',
    summary: 'Its queues by name',
    to: 'queues.get',
    children: {
      find: (tx, sites, wanted) =>
        childrenOf(tx, { from: 'queues c', where: 'c.site_id = p.id', ...byName }, sites, wanted),
    },
  },
  {
    types: ['Service'],
    field: 'queues',
    summary: 'Queues of all sites for it',
    to: 'queues.get',
    children: {
      find: (tx, services, wanted) =>
        childrenOf(tx, { from: 'queues c', where: 'c.service_id = p.id', ...byName }, services, wanted),
    },
  },
]
