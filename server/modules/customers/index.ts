import { MANAGERS, STAFF } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import type { Operation } from '../../kernel/operation.ts'
import { resource } from '../../kernel/resource.ts'
import { Text } from '../../kernel/schema.ts'
import { normalisePhone } from './phone.ts'
import { customerFields } from './schema.ts'

export { identify, identifyByMail } from './identify.ts'
export { normalisePhone } from './phone.ts'
export { Person } from './schema.ts'

const hasBeenIn = (
  place: string,
) => `exists (select from tickets t where t.customer_id = customers.id and t.${place} = any($1))
  or not exists (select from tickets t where t.customer_id = customers.id)`

export const customers = resource({
  noun: 'customers',
  singular: 'customer',
  table: 'customers',
  fields: customerFields,
  scopes: { read: 'read:customer', write: 'write:customer' },
  roles: { read: STAFF, write: STAFF, delete: MANAGERS },
  filters: {
    phone: { schema: Text(40), where: 'phone = $1' },
    email: { schema: Text(254), where: 'email = lower($1)' },
    external_id: { schema: Text(200), where: 'external_id = $1' },
  },
  search: ['name', 'phone', 'email'],
  // Who has been there, and who has been nowhere yet: somebody has just entered them at the desk.
  within: { sites: hasBeenIn('site_id'), queues: hasBeenIn('queue_id') },
  // By id, which is the order of their first visit: a tenant may have millions.
  orderings: ['-id'],
  example: { name: 'Samira Haddad', phone: '+33612345678', locale: 'fr', consents: { sms: true } },
  constraints: { customers_tenant_id_external_id_key: () => conflict('already_exists') },
  // The log of events cannot forget, so it never learns who somebody is.
  eventData: (customer) => ({ customer: { id: customer.id } }),
  prepare: (ctx, customer) => ({
    ...customer,
    phone: customer.phone === null ? null : normalisePhone(customer.phone, ctx.tenant),
    email: customer.email?.toLowerCase() ?? null,
  }),
})

export const operations: readonly Operation[] = customers.operations
