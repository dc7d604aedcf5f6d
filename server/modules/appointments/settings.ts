import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { resource } from '../../kernel/resource.ts'
import { Id } from '../../kernel/schema.ts'
import { settingsFields } from './schema.ts'

/** How queues are booked. Changes count for what is booked from then on. */
export const settings = resource({
  noun: 'booking-settings',
  singular: 'booking_setting',
  table: 'booking_settings',
  fields: settingsFields,
  fixed: ['queue_id'],
  scopes: { read: 'read:queue', write: 'write:queue' },
  roles: { read: [...STAFF, 'kiosk'], write: MANAGERS },
  filters: { queue: { schema: Id, where: 'queue_id = $1' } },
  within: { sites: 'queue_id in (select id from queues where site_id = any($1))', queues: 'queue_id = any($1)' },
  orderings: ['created_at'],
  example: { queue_id: 1, duration_seconds: 900, capacity: 2, lead_seconds: 3600 },
  constraints: { booking_settings_tenant_id_queue_id_key: () => conflict('already_exists') },
})
