import { childrenOf, type Edge } from '../../kernel/edge.ts'

export const edges: readonly Edge[] = [
  { types: ['Counter'], field: 'site', summary: 'Where it is', to: 'sites.get', key: 'site_id' },
  {
    types: ['Site'],
    field: 'counters',
    summary: 'Its counters by name',
    to: 'counters.get',
    children: {
      find: (tx, sites, wanted) =>
        childrenOf(
          tx,
          {
            from: 'counters c',
            where: 'c.site_id = p.id',
            order: [
              ['c.name', 'text'],
              ['c.id', 'bigint'],
            ],
          },
          sites,
          wanted,
        ),
    },
  },
]
