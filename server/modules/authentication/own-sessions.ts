import Type, { type Static } from 'typebox'
import type { Actor, Role } from '../../kernel/access.ts'
import { notFound } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Nullable, Slug, Time } from '../../kernel/schema.ts'
import { revokeSession, rowOf } from './revocations.ts'

/** People: who has sessions of their own. */
export const PEOPLE = ['operator', 'admin', 'supervisor', 'agent'] as const satisfies readonly Role[]

const OwnSession = Closed({
  id: Type.String({ format: 'uuid' }),
  kind: Enum(['tokens', 'console']),
  method: Enum(['password', 'passkey', 'sso', 'impersonation']),
  tenant: Nullable(Slug),
  address: Nullable(Type.String({ description: 'Network it was started from, /24 or /56' })),
  user_agent: Nullable(Type.String()),
  created_at: Time,
  seen_at: Time,
  expires_at: Time,
  is_current: Type.Boolean(),
})

/** Whoever an organisation vouched for (`$2` is the session, `$3` the organisation) has shown nothing to any other. */
const WITHIN_REACH = `($3::bigint is null or s.tenant_id = $3 or not exists (
  select from sessions me where me.id = $2 and me.method in ('sso', 'impersonation')))`
const reachOf = ({ userId, sessionId, tenantId }: Actor) => [userId, rowOf(sessionId), tenantId]

export const listSessions = operation({
  id: 'sessions.list',
  kind: 'query',
  summary: 'List my sessions',
  description:
    'Every place where I am signed in, the last used first. Who came in by an organisation’s own sign-in sees those of that organisation.',
  scope: null,
  roles: PEOPLE,
  http: { method: 'GET', path: '/auth/sessions/', base: 'root' },
  input: Closed({}),
  output: Closed({ results: Type.Array(OwnSession) }),
  example: { input: {} },
  run: async ({ tx, actor }) => ({
    results: await tx.query<Static<typeof OwnSession>>(
      `select s.id, s.kind, s.method, t.slug as tenant, s.address, s.user_agent, s.created_at, s.seen_at, s.expires_at,
         s.id is not distinct from $2 as is_current
       from sessions s left join tenants t on t.id = s.tenant_id
       where s.user_id = $1 and s.revoked_at is null and s.expires_at > now() and ${WITHIN_REACH}
       order by s.seen_at desc, s.id limit 200`,
      reachOf(actor),
    ),
  }),
})

export const revokeOwn = operation({
  id: 'sessions.delete',
  kind: 'mutation',
  summary: 'End one of my sessions',
  scope: null,
  roles: PEOPLE,
  http: { method: 'DELETE', path: '/auth/sessions/{id}/', base: 'root', status: 204 },
  transaction: false,
  input: Closed({ id: Type.String({ format: 'uuid' }) }),
  output: Type.Null(),
  example: { input: { id: '6f1c7b5e-3b6a-4c58-9a40-0f9d4f2f8f11' } },
  async run({ tx, actor }, { id }) {
    const own = await tx.maybe(
      `select from sessions s where s.user_id = $1 and s.revoked_at is null and ${WITHIN_REACH} and s.id = $4`,
      [...reachOf(actor), id],
    )
    if (!own) throw notFound()
    await revokeSession(tx, id)
    return null
  },
})

export const revokeOthers = operation({
  id: 'sessions.revokeOthers',
  kind: 'mutation',
  summary: 'End all my other sessions',
  scope: null,
  roles: PEOPLE,
  http: { method: 'POST', path: '/auth/sessions/revoke-others/', base: 'root' },
  transaction: false,
  input: Closed({}),
  output: Closed({ ended: Type.Integer() }),
  example: { input: {} },
  async run({ tx, actor }) {
    const others = await tx.query<{ id: string }>(
      `select s.id from sessions s
       where s.user_id = $1 and s.revoked_at is null and s.expires_at > now() and s.id is distinct from $2 and ${WITHIN_REACH}`,
      reachOf(actor),
    )
    for (const { id } of others) await revokeSession(tx, id)
    return { ended: others.length }
  },
})
