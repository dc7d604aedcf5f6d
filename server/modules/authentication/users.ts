import Type, { type Static } from 'typebox'
import { ADMINS, MANAGERS } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { listPage, type Condition, type Ordering } from '../../kernel/list.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Enum, Id, Locale, Name, Nullable, Page, PageInput, Text, Time } from '../../kernel/schema.ts'
import { MEMBER_ROLES } from './schema.ts'

const Ids = Nullable(Type.Array(Id, { maxItems: 1000, description: 'null means all' }))

/** A person as member of this tenant: the role and its limits belong to the membership, the rest to the person. */
export const User = Closed({
  id: Id,
  email: Type.String(),
  name: Name,
  locale: Nullable(Locale),
  role: Enum(MEMBER_ROLES),
  site_ids: Ids,
  queue_ids: Ids,
  is_active: Type.Boolean(),
  created_at: Time,
})
export type User = Static<typeof User>

/** Behind the tenant's wall only the memberships show, so a join never leaves it. */
export const SELECT_USERS = `select u.id, u.email, u.name, u.locale, m.role, m.site_ids, m.queue_ids,
  m.is_active and u.is_active as is_active, m.created_at
  from memberships m join users u on u.id = m.user_id`

const id = { column: 'id', expression: 'u.id', type: 'integer' } as const
const orderings: Record<string, Ordering> = {
  name: [{ column: 'name', expression: 'u.name', type: 'text' }, id],
  '-name': [
    { column: 'name', expression: 'u.name', type: 'text', descending: true },
    { ...id, descending: true },
  ],
  email: [{ column: 'email', expression: 'u.email', type: 'text' }, id],
}

export const list = operation({
  id: 'users.list',
  kind: 'query',
  summary: 'List users',
  scope: 'read:tenant',
  roles: MANAGERS,
  http: { method: 'GET', path: '/users/' },
  input: Closed({
    ...PageInput,
    ordering: Type.Optional(Enum(Object.keys(orderings), { default: 'name' })),
    role: Type.Optional(Enum(MEMBER_ROLES)),
    q: Type.Optional(Text(100, { minLength: 1 })),
  }),
  output: Page(User),
  example: { input: {} },
  run(ctx, { ordering = 'name', role, q, ...page }) {
    const where: Condition[] = []
    if (role) where.push({ text: 'm.role = $1', values: [role] })
    if (q) where.push({ text: `strpos(lower(u.name || ' ' || u.email), lower($1)) > 0`, values: [q] })
    return listPage<User>(ctx.tx, SELECT_USERS, orderings, { ...page, ordering }, where)
  },
})

export const get = operation({
  id: 'users.get',
  kind: 'query',
  summary: 'Get one user',
  scope: 'read:tenant',
  roles: MANAGERS,
  http: { method: 'GET', path: '/users/{id}/' },
  input: Closed({ id: Id }),
  output: User,
  example: { input: { id: 1 } },
  run: (ctx, input) => ctx.tx.one<User>(`${SELECT_USERS} where m.user_id = $1`, [input.id]),
  readMany: (ctx, ids) => ctx.tx.query<User>(`${SELECT_USERS} where m.user_id = any($1)`, [ids]),
})

/** Writing users is for administrators. */
export const usersWrite = { scope: 'admin:tenant', roles: ADMINS } as const
export const membershipFields = {
  role: Enum(MEMBER_ROLES),
  site_ids: Ids,
  queue_ids: Ids,
}

/**
 * Locks this membership and those of all administrators, in one order: two of them who take each other's role at once
 * must neither both succeed nor wait for each other.
 */
export async function lockMemberships(tx: Tx, userId: number): Promise<{ otherAdmins: number }> {
  const locked = await tx.query<{ user_id: number; is_admin: boolean }>(
    `select user_id, role = 'admin' and is_active as is_admin from memberships
     where user_id = $1 or (role = 'admin' and is_active) order by user_id for no key update`,
    [userId],
  )
  return { otherAdmins: locked.filter(({ user_id, is_admin }) => is_admin && user_id !== userId).length }
}
