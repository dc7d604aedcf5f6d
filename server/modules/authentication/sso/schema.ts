import Type, { type Static } from 'typebox'
import { Closed, Enum, Nullable, Text, Time } from '../../../kernel/schema.ts'
import { MEMBER_ROLES } from '../schema.ts'

const GroupRole = Closed({ group: Text(200, { minLength: 1 }), role: Enum(MEMBER_ROLES) })
const Domain = Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$', maxLength: 253 })

export const providerFields = {
  issuer: Type.String({ format: 'uri', maxLength: 500, description: 'Its address, as its description names it' }),
  client_id: Text(200, { minLength: 1 }),
  scope: Text(200, { minLength: 6 }),
  groups_claim: Text(100, { minLength: 1 }),
  group_roles: Type.Array(GroupRole, { maxItems: 100, description: 'The first group a person is in decides the role' }),
  default_role: Nullable(Enum(MEMBER_ROLES, { description: 'Of whoever is in none; null keeps them outside' })),
  email_domains: Type.Array(Domain, { minItems: 1, maxItems: 50 }),
  is_active: Type.Boolean(),
}
export const Provider = Closed({ ...providerFields, updated_at: Time })
export type Provider = Static<typeof Provider>
export type Role = (typeof MEMBER_ROLES)[number]

/** As sign-in finds it, before anybody is known. */
export interface FoundProvider extends Pick<
  Provider,
  'issuer' | 'client_id' | 'scope' | 'groups_claim' | 'group_roles' | 'default_role' | 'email_domains'
> {
  tenant_id: number
  client_secret: Buffer
}
