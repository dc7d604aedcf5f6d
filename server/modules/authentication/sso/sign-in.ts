import Type from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { AppError, notFound } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Slug, Text } from '../../../kernel/schema.ts'
import { unseal } from '../keys.ts'
import { issueOnce, redeemOnce } from '../one-time.ts'
import { keepCookie } from '../cookies.ts'
import { authorizationUrl, claimsOf, type Claims, type Client, type Flow } from './providers/openid.ts'
import type { FoundProvider, Role } from './schema.ts'

/** Where every provider sends people back to. */
const CALLBACK = '/auth/sso/callback'
/** Time to sign in over there, and to come in here afterwards. */
const FLOW_SECONDS = 600
const TICKET_SECONDS = 60

interface FlowClaims extends Flow {
  tenant: string
}
/** Somebody whom their organisation's provider has vouched for. */
export interface Ticket {
  tenant_id: number
  issuer: string
  subject: string
  email: string
  name: string
  role: Role
}

const isDevelopment = (url: (path: string) => string) => url('/').startsWith('http:')
const refused = () => new AppError('unauthorized', 'sso_refused')

async function providerOf(tx: Tx, slug: string): Promise<FoundProvider> {
  const provider = await tx.maybe<FoundProvider>('select * from app.identity_provider_of($1)', [slug])
  if (!provider) throw notFound()
  return provider
}
const clientOf = ({ issuer, client_id, client_secret, scope }: FoundProvider): Client => ({
  issuer,
  client_id,
  client_secret: unseal('sso', client_secret),
  scope,
})

export const startSso = operation({
  id: 'sso.start',
  kind: 'mutation',
  summary: 'Begin to sign in at the organisation’s own provider',
  description: 'The browser goes to `url` and comes back by itself.',
  unaudited: 'changes nothing: the sign-in that may follow is recorded',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/sso/start/', base: 'root', cookie: 'session' },
  // No connection waits while somebody else's server is asked.
  transaction: false,
  input: Closed({ tenant: Slug }),
  output: Closed({ url: Type.String() }),
  example: { input: { tenant: 'demo-bank' } },
  async run({ tx, url }, { tenant }) {
    const provider = await providerOf(tx, tenant)
    const { url: target, flow } = await authorizationUrl(clientOf(provider), url(CALLBACK), isDevelopment(url))
    const claims: FlowClaims = { ...flow, tenant }
    // In a cookie of this browser: whoever else comes back with the code has no flow for it.
    return keepCookie({ url: target }, 'sso', await issueOnce(tx, 'flow', { ...claims }, FLOW_SECONDS))
  },
})

export const finishSso = operation({
  id: 'sso.finish',
  kind: 'mutation',
  summary: 'Come back from the organisation’s own provider',
  description:
    'Exchanges what the provider gave the browser for a ticket that `sso.enter` takes, once, within a minute.',
  unaudited: 'changes nothing: coming in with the ticket is recorded',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/sso/finish/', base: 'root', cookie: 'session' },
  transaction: false,
  input: Closed({ flow: Type.String({ maxLength: 4000 }), query: Text(4000) }),
  output: Closed({ tenant: Slug, ticket: Type.String() }),
  example: { input: { flow: 'eyJhbGciOiJIUzI1NiJ9.e30.signature', query: 'code=x&state=y' } },
  async run({ tx, url }, { flow: token, query }) {
    const { tenant, state, nonce, verifier } = await redeemOnce<FlowClaims>(tx, 'flow', token)
    const provider = await providerOf(tx, tenant)
    const returned = new URL(`${url(CALLBACK)}?${query}`)
    const claims = await claimsOf(clientOf(provider), returned, { state, nonce, verifier }, isDevelopment(url))
    const ticket = ticketOf(provider, claims)
    return { tenant, ticket: await issueOnce(tx, 'sso', { ...ticket }, TICKET_SECONDS) }
  },
})

/** What the provider's word is worth here. @throws AppError unauthorized `sso_refused` or `sso_no_role` */
function ticketOf(provider: FoundProvider, claims: Claims): Ticket {
  const email = typeof claims.email === 'string' ? claims.email.toLowerCase() : ''
  const [, domain] = /^[^@\s]+@([^@\s]+)$/.exec(email) ?? []
  // Silence about verification is common and means that the organisation itself gave the address.
  if (!domain || !provider.email_domains.includes(domain) || claims.email_verified === false) throw refused()
  const said = claims[provider.groups_claim]
  const groups = Array.isArray(said) ? said : typeof said === 'string' ? [said] : []
  const role = provider.group_roles.find(({ group }) => groups.includes(group))?.role ?? provider.default_role
  if (!role) throw new AppError('unauthorized', 'sso_no_role')
  const name =
    typeof claims.name === 'string' && claims.name.trim() !== ''
      ? claims.name.trim().slice(0, 200).toWellFormed()
      : email
  return { tenant_id: provider.tenant_id, issuer: provider.issuer, subject: claims.sub, email, name, role }
}
