import Type from 'typebox'
import { ROLES, type Actor, type Role } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Name, Nullable, Seconds, Time } from '../../kernel/schema.ts'
import { placeOf, placesOf } from './accounts.ts'
import { csrfTokenOf } from './console.ts'
import { revokeSession, rowOf } from './revocations.ts'
import { Place, identity, type Account } from './schema.ts'
import { issueWsTicket, WS_TICKET_SECONDS } from './ws-tickets.ts'

const SIGNED_IN: readonly Role[] = ROLES.filter((role) => role !== 'anonymous' && role !== 'visitor')

export const session = operation({
  id: 'auth.session',
  kind: 'query',
  summary: 'Who am I?',
  scope: null,
  roles: SIGNED_IN,
  http: { method: 'GET', path: '/auth/session/', base: 'root' },
  transaction: false,
  input: Closed({}),
  output: Closed({
    ...identity,
    tenants: Type.Array(Place),
    impersonation: Nullable(
      Closed(
        { operator: Name, reason: Type.String(), ends_at: Time },
        { description: 'An operator acts as this person: every page must say so' },
      ),
    ),
    csrf_token: Nullable(Type.String({ description: 'To be sent as X-CSRF-Token with every change by cookie' })),
  }),
  example: { input: {} },
  async run({ tx, actor }) {
    const user =
      actor.userId === null
        ? undefined
        : await tx.maybe<Account>('select id, email, name, locale from users where id = $1', [actor.userId])
    const places = actor.userId === null ? [] : (await placesOf(tx, actor.userId)).map(placeOf)
    // An organisation that vouches for somebody is not told where else they work.
    const tenants = (await isVouched(tx, actor)) ? places.filter(({ id }) => id === actor.tenantId) : places
    return {
      tenant: tenants.find(({ id }) => id === actor.tenantId) ?? null,
      user: user ?? null,
      role: actor.role,
      scopes: [...actor.scopes],
      tenants,
      impersonation: (await impersonationOf(tx, actor)) ?? null,
      csrf_token: actor.sessionId === null ? null : csrfTokenOf(actor.sessionId),
    }
  },
})

const isVouched = async (tx: Tx, { sessionId, tenantId }: Actor): Promise<boolean> =>
  tenantId !== null &&
  (await tx.maybe(`select from sessions where id = $1 and method in ('sso', 'impersonation')`, [rowOf(sessionId)])) !==
    undefined

const impersonationOf = (tx: Tx, { sessionId, impersonatorId }: Actor) =>
  impersonatorId
    ? tx.maybe<{ operator: string; reason: string; ends_at: string }>(
        `select o.name as operator, s.reason, s.ends_at from sessions s join users o on o.id = s.impersonator_id
         where s.id = $1`,
        [sessionId],
      )
    : undefined

export const logout = operation({
  id: 'auth.logout',
  kind: 'mutation',
  summary: 'Sign out',
  description: 'Ends the session: its tokens are refused from now on, in every process.',
  scope: null,
  roles: SIGNED_IN,
  http: { method: 'POST', path: '/auth/logout/', base: 'root', status: 204 },
  transaction: false,
  input: Closed({}),
  output: Type.Null(),
  example: { input: {} },
  async run({ tx, actor }) {
    if (actor.sessionId !== null && actor.userId !== null) await revokeSession(tx, actor.sessionId)
    return null
  },
})

export const wsTicket = operation({
  id: 'auth.wsTicket',
  kind: 'mutation',
  summary: 'Get a one-time ticket for a WebSocket',
  unaudited: 'changes nothing: the ticket opens one socket within half a minute',
  description: 'Goes into the URL as `?ticket=`, where a token must not be: it works once, within half a minute.',
  scope: null,
  roles: SIGNED_IN,
  http: { method: 'POST', path: '/auth/ws-ticket/', base: 'root' },
  transaction: false,
  input: Closed({}),
  output: Closed({ ticket: Type.String(), expires_in: Seconds }),
  example: { input: {} },
  run: async ({ tx, actor }) => ({ ticket: await issueWsTicket(tx, actor), expires_in: WS_TICKET_SECONDS }),
})
