import { childrenOf, type Edge } from '../../kernel/edge.ts'

export const edges: readonly Edge[] = [
  { types: ['Message'], field: 'ticket', summary: 'The visit it belongs to', to: 'tickets.get', key: 'ticket_id' },
  {
    types: ['Ticket', 'TakenTicket'],
    field: 'messages',
    summary: 'What was said with its holder and what became of it, first first',
    to: 'messages.get',
    children: {
      find: (tx, tickets, wanted) =>
        childrenOf(
          tx,
          { from: 'messages c', where: 'c.ticket_id = p.id', order: [['c.id', 'bigint']] },
          tickets,
          wanted,
        ),
    },
  },
]
