import Type from 'typebox'
import type { Tx } from '../../kernel/db/types.ts'
import { checkProof } from '../../kernel/access.ts'
import { conflict } from '../../kernel/errors.ts'
import { checkIfMatch } from '../../kernel/etag.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Id, Locale, Name, Nullable } from '../../kernel/schema.ts'
import { checkGrant, checkMembership } from './create-user.ts'
import { checkPassword, hashPassword, withPasswordSlot } from './passwords.ts'
import { revokeUser } from './revocations.ts'
import { Email, Password } from './schema.ts'
import { get, lockMemberships, membershipFields, SELECT_USERS, User, usersWrite } from './users.ts'

const MAX_WAITING = 2
/** Whoever finds a console open may change these; everything else opens or closes doors. */
const HARMLESS: ReadonlySet<string> = new Set(['name', 'locale'])

export const update = operation({
  ...usersWrite,
  id: 'users.update',
  kind: 'mutation',
  mayNeedProof: true,
  summary: 'Change a user',
  description:
    'Name, e-mail, locale and password belong to the person: they can be changed here only while nobody else knows ' +
    'them. A change of role, limits, activity or password ends the sessions it concerns. Whoever changes more than name ' +
    'and locale must have proved within the last minutes who they are.',
  http: { method: 'PATCH', path: '/users/{id}/' },
  input: Closed({
    id: Id,
    email: Type.Optional(Email),
    name: Type.Optional(Name),
    locale: Type.Optional(Nullable(Locale)),
    password: Type.Optional(Password),
    role: Type.Optional(membershipFields.role),
    site_ids: Type.Optional(membershipFields.site_ids),
    queue_ids: Type.Optional(membershipFields.queue_ids),
    is_active: Type.Optional(Type.Boolean()),
  }),
  output: User,
  example: { input: { id: 1, role: 'supervisor' } },
  constraints: { users_email_key: () => conflict('email_taken') },
  async run(ctx, { id, password, ...changes }) {
    const { tx } = ctx
    const { otherAdmins } = await lockMemberships(tx, id)
    const before = await tx.one<User>(`${SELECT_USERS} where m.user_id = $1`, [id])
    checkIfMatch(ctx.ifMatch, get, before)
    const next = { ...before, ...changes }
    next.email = next.email.toLowerCase()
    for (const each of [before, next]) checkGrant(ctx.actor, each)

    const asksForProof = Object.keys(changes).some((name) => !HARMLESS.has(name)) || password !== undefined
    if (asksForProof) checkProof(ctx.actor)

    const ofPerson = next.email !== before.email || next.name !== before.name || next.locale !== before.locale
    if (ofPerson || password !== undefined) await changePerson(tx, id, next, password)

    const ofMember =
      next.role !== before.role ||
      next.is_active !== before.is_active ||
      String(next.site_ids) !== String(before.site_ids) ||
      String(next.queue_ids) !== String(before.queue_ids)
    if (ofMember) {
      await checkMembership(tx, next)
      if (before.role === 'admin' && (next.role !== 'admin' || !next.is_active) && otherAdmins === 0)
        throw conflict('last_admin')
      await tx.query(
        'update memberships set role = $2, site_ids = $3, queue_ids = $4, is_active = $5 where user_id = $1',
        [id, next.role, next.site_ids, next.queue_ids, next.is_active],
      )
    }
    const user = await tx.one<User>(`${SELECT_USERS} where m.user_id = $1`, [id])
    if (ofMember || password !== undefined) await revokeUser(tx, id, ctx.tenant.id)
    const memberOf = ({ role, site_ids, queue_ids, is_active }: User) => ({ role, site_ids, queue_ids, is_active })
    ctx.record({ before: memberOf(before), after: memberOf(user) })
    ctx.emit({ type: 'user.updated', site_id: 0, data: { user: { id, role: user.role, is_active: user.is_active } } })
    return user
  },
})

async function changePerson(
  tx: Tx,
  id: number,
  { email, name, locale }: Pick<User, 'email' | 'name' | 'locale'>,
  password: string | undefined,
): Promise<void> {
  const { elsewhere } = await tx.one<{ elsewhere: boolean }>('select app.belongs_elsewhere($1) as elsewhere', [id])
  if (elsewhere) throw conflict('user_shared')
  if (password !== undefined) checkPassword(password, email)
  const passwordHash = password === undefined ? null : await withPasswordSlot(() => hashPassword(password), MAX_WAITING)
  await tx.query(
    `update users set email = $2, name = $3, locale = $4, password_hash = coalesce($5, password_hash),
       -- Who administers the person may know the password now, and nobody has answered from a new address.
       email_verified_at = case when $5 is null and email = $2 then email_verified_at end, updated_at = now()
     where id = $1`,
    [id, email, name, locale, passwordHash],
  )
}
