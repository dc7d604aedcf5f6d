import Type from 'typebox'
import { ADMINS } from '../../../kernel/access.ts'
import { invalid } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Text } from '../../../kernel/schema.ts'
import { seal } from '../keys.ts'
import { Provider, providerFields } from './schema.ts'

const COLUMNS =
  'issuer, client_id, scope, groups_claim, group_roles, default_role, email_domains, is_active, updated_at'
const administration = { scope: 'admin:tenant', roles: ADMINS } as const
/** People alone: a provider of one's own vouches for whomever one likes, also when the key that named it is revoked. */
const decision = { scope: 'admin:tenant', roles: ['admin', 'system'] } as const

export const getProvider = operation({
  ...administration,
  id: 'sso.get',
  kind: 'query',
  summary: 'Get the identity provider',
  http: { method: 'GET', path: '/sso/' },
  input: Closed({}),
  output: Provider,
  example: { input: {} },
  run: ({ tx }) => tx.one<Provider>(`select ${COLUMNS} from identity_providers`),
})

export const setProvider = operation({
  ...decision,
  id: 'sso.set',
  kind: 'mutation',
  summary: 'Let people sign in at an identity provider',
  description:
    'OpenID Connect. People with an address of `email_domains` become members when they first come, with the role of ' +
    'their groups, which follows the provider from then on. The secret is never shown again.',
  needsProof: true,
  http: { method: 'PUT', path: '/sso/' },
  input: Closed({
    issuer: providerFields.issuer,
    client_id: providerFields.client_id,
    client_secret: Type.Optional(Text(500, { minLength: 1 })),
    scope: Type.Optional(providerFields.scope),
    groups_claim: Type.Optional(providerFields.groups_claim),
    group_roles: Type.Optional(providerFields.group_roles),
    default_role: Type.Optional(providerFields.default_role),
    email_domains: providerFields.email_domains,
    is_active: Type.Optional(providerFields.is_active),
  }),
  output: Provider,
  example: {
    input: {
      issuer: 'https://login.example.org',
      client_id: 'smartqueue',
      client_secret: 'of the provider',
      group_roles: [{ group: 'desk', role: 'agent' }],
      email_domains: ['example.org'],
    },
  },
  async run(ctx, input) {
    const { issuer, client_id, client_secret, email_domains } = input
    const { scope = 'openid email profile', groups_claim = 'groups', group_roles = [], default_role = null } = input
    if (!issuer.startsWith('https:') && !ctx.url('/').startsWith('http:')) throw invalid('/issuer', 'format')
    const before = await ctx.tx.maybe<{ client_secret: Buffer }>(
      'select client_secret from identity_providers for update',
    )
    const sealed = client_secret === undefined ? before?.client_secret : seal('sso', client_secret)
    if (!sealed) throw invalid('/client_secret', 'required')
    const provider = await ctx.tx.one<Provider>(
      `insert into identity_providers (issuer, client_id, client_secret, scope, groups_claim, group_roles, default_role,
         email_domains, is_active)
       values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)
       on conflict (tenant_id) do update set issuer = excluded.issuer, client_id = excluded.client_id,
         client_secret = excluded.client_secret, scope = excluded.scope, groups_claim = excluded.groups_claim,
         group_roles = excluded.group_roles, default_role = excluded.default_role, email_domains = excluded.email_domains,
         is_active = excluded.is_active, updated_at = now()
       returning ${COLUMNS}`,
      [
        issuer,
        client_id,
        sealed,
        scope,
        groups_claim,
        JSON.stringify(group_roles),
        default_role,
        email_domains,
        input.is_active ?? true,
      ],
    )
    ctx.emit({ type: 'sso.updated', site_id: 0, data: { issuer, is_active: provider.is_active } })
    return provider
  },
})

export const removeProvider = operation({
  ...decision,
  id: 'sso.delete',
  kind: 'mutation',
  summary: 'Give up the identity provider',
  needsProof: true,
  http: { method: 'DELETE', path: '/sso/', status: 204 },
  input: Closed({}),
  output: Type.Null(),
  example: { input: {} },
  async run(ctx) {
    await ctx.tx.one('delete from identity_providers returning tenant_id')
    ctx.emit({ type: 'sso.deleted', site_id: 0, data: {} })
    return null
  },
})
