import Type, { type Static } from 'typebox'
import type { Role } from '../../kernel/access.ts'
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

export const listSessions = operation({
  id: 'sessions.list',
  kind: 'query',
  summary: 'List my sessions',
  description: 'Every place where I am signed in, the last used first.',
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
       where s.user_id = $1 and s.revoked_at is null and s.expires_at > now()
       order by s.seen_at desc, s.id limit 200`,
      [actor.userId, rowOf(actor.sessionId)],
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
    const own = await tx.maybe('select from sessions where id = $1 and user_id = $2 and revoked_at is null', [
      id,
      actor.userId,
    ])
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
      'select id from sessions where user_id = $1 and revoked_at is null and expires_at > now() and id is distinct from $2',
      [actor.userId, rowOf(actor.sessionId)],
    )
    for (const { id } of others) await revokeSession(tx, id)
    return { ended: others.length }
  },
})
