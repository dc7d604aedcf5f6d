import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { conflict, notFound } from '../../kernel/errors.ts'
import { resource } from '../../kernel/resource.ts'
import { Id } from '../../kernel/schema.ts'
import { checkOpeningHours, OpeningHours } from '../sites/index.ts'

/** When agents can be booked. Appointments that stand already stay. */
export const agentHours = resource({
  noun: 'agent-hours',
  singular: 'agent_hour',
  table: 'agent_hours',
  fields: { agent_id: Id, hours: OpeningHours },
  fixed: ['agent_id'],
  scopes: { read: 'read:queue', write: 'write:queue' },
  roles: { read: STAFF, write: MANAGERS },
  filters: { agent: { schema: Id, where: 'agent_id = $1' } },
  within: {
    sites: 'agent_id in (select id from agents where site_id = any($1))',
    queues: 'agent_id in (select agent_id from agent_queues where queue_id = any($1))',
  },
  orderings: ['created_at'],
  example: { agent_id: 1, hours: { weekly: { 1: [['09:00', '12:00']] } } },
  constraints: {
    agent_hours_tenant_id_agent_id_key: () => conflict('already_exists'),
    agent_hours_tenant_id_agent_id_fkey: notFound,
  },
  async prepare(_ctx, row) {
    checkOpeningHours(row.hours, '/hours')
    return row
  },
})
