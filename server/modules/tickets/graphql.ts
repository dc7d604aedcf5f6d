import Type from 'typebox'
import { LIVE_STATUSES } from '../../../shared/ticket-status.ts'
import { childrenOf, type ChildrenOf, type Edge } from '../../kernel/edge.ts'
import { Closed, Enum } from '../../kernel/schema.ts'
import { TICKET_STATUSES } from '../../../shared/ticket-status.ts'

/** Everything that carries a ticket's references. */
const types = ['Ticket', 'TakenTicket']

/** In order of service. Without a status those who are still here; the past is read by `tickets(queue:)`. */
const inOrder: ChildrenOf = {
  from: 'tickets c',
  where: 'c.queue_id = p.id and c.status = any($4)',
  order: [
    ['c.rank', 'bigint'],
    ['c.id', 'bigint'],
  ],
}
const latest = { order: [['c.id', 'bigint']], descending: true } as const

export const edges: readonly Edge[] = [
  { types, field: 'queue', summary: 'The queue it stands in', to: 'queues.get', key: 'queue_id' },
  { types, field: 'service', summary: 'What the person came for', to: 'services.get', key: 'service_id' },
  { types, field: 'site', summary: 'Where', to: 'sites.get', key: 'site_id' },
  { types, field: 'customer', summary: 'Who, where it is known', to: 'customers.get', key: 'customer_id' },
  { types, field: 'agent', summary: 'Who called', to: 'agents.get', key: 'agent_id' },
  { types, field: 'counter', summary: 'Where it was called to', to: 'counters.get', key: 'counter_id' },
  {
    types: ['Queue'],
    field: 'tickets',
    summary: 'Its tickets in order of service; without a status those who have not left',
    to: 'tickets.get',
    children: {
      args: Closed({ status: Type.Optional(Type.Array(Enum(TICKET_STATUSES))) }),
      find: (tx, queues, wanted) => childrenOf(tx, inOrder, queues, wanted, [wanted.args['status'] ?? LIVE_STATUSES]),
    },
  },
  {
    types: ['Customer'],
    field: 'tickets',
    summary: 'The person’s tickets, last first',
    to: 'tickets.get',
    children: {
      find: (tx, customers, wanted) =>
        childrenOf(tx, { from: 'tickets c', where: 'c.customer_id = p.id', ...latest }, customers, wanted),
    },
  },
  {
    types: ['Agent'],
    field: 'tickets',
    summary: 'Tickets the agent has called or serves now',
    to: 'tickets.get',
    children: {
      find: (tx, agents, wanted) =>
        childrenOf(
          tx,
          {
            from: 'tickets c',
            where: `c.agent_id = p.id and c.status in ('appelé', 'en_service', 'en_pause')`,
            ...latest,
          },
          agents,
          wanted,
        ),
    },
  },
]
