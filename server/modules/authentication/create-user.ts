import Type from 'typebox'
import { checkProof, type Actor } from '../../kernel/access.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { AppError, conflict, notFound } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Locale, Name, Nullable } from '../../kernel/schema.ts'
import { checkPassword, hashPassword, withPasswordSlot } from './passwords.ts'
import { renewCredentials } from './renew-credentials.ts'
import { Email, Password } from './schema.ts'
import { membershipFields, SELECT_USERS, User, usersWrite } from './users.ts'

/** Hashing holds a transaction here: few at a time may wait for it. */
const MAX_WAITING = 2

export const create = operation({
  ...usersWrite,
  id: 'users.create',
  kind: 'mutation',
  mayNeedProof: true,
  summary: 'Add a user',
  description:
    'A new person gets the password. Somebody who has an account already is invited by e-mail instead, since nobody ' +
    'but they can say that they want to join.',
  http: { method: 'POST', path: '/users/', status: 201 },
  input: Closed({
    email: Email,
    name: Name,
    password: Type.Optional(Password),
    locale: Type.Optional(Nullable(Locale)),
    role: membershipFields.role,
    site_ids: Type.Optional(membershipFields.site_ids),
    queue_ids: Type.Optional(membershipFields.queue_ids),
  }),
  output: User,
  example: {
    input: { email: 'nadia@demo-bank.example', name: 'Nadia Benali', password: 'correct horse battery', role: 'agent' },
  },
  constraints: { memberships_pkey: () => conflict('email_taken'), users_email_key: () => conflict('email_taken') },
  async run(ctx, input) {
    const { tx } = ctx
    const email = input.email.toLowerCase()
    const { password, role, site_ids = null, queue_ids = null } = input
    if (password !== undefined) checkPassword(password, email)
    checkGrant(ctx.actor, { site_ids, queue_ids, role })
    // Whoever is one for ever after must not come of a session that was left open.
    if (role === 'admin') checkProof(ctx.actor)
    await checkMembership(tx, { site_ids, queue_ids })
    // Everybody who lets a known person in waits for this lock, so what is read next stays true until the end.
    const known = await tx.maybe<{ id: number }>('select id from users where email = $1 for no key update', [email])
    const isKept = known && (await isKeptBySomebody(tx, known.id))
    if (isKept) {
      const isMember = await tx.maybe('select from memberships where user_id = $1', [known.id])
      throw conflict(isMember ? 'email_taken' : 'invitation_needed')
    }
    const userId = await storeAccount(tx, known?.id, { ...input, email })
    await tx.query('insert into memberships (user_id, role, site_ids, queue_ids) values ($1, $2, $3, $4)', [
      userId,
      role,
      site_ids,
      queue_ids,
    ])
    const user = await tx.one<User>(`${SELECT_USERS} where m.user_id = $1`, [userId])
    ctx.emit({ type: 'user.created', site_id: 0, data: { user: { id: user.id, role: user.role } } })
    return user
  },
})

/** Is the person a member of any tenant, or an operator? */
export async function isKeptBySomebody(tx: Tx, userId: number): Promise<boolean> {
  const { kept } = await tx.one<{ kept: boolean }>(
    'select app.belongs_elsewhere($1) or exists (select from memberships where user_id = $1) as kept',
    [userId],
  )
  return kept
}

/** A new account, or one that nobody keeps begun anew, so that whoever knew its password does not come along. */
export async function storeAccount(
  tx: Tx,
  id: number | undefined,
  { email, name, locale = null, password }: { email: string; name: string; locale?: string | null; password?: string },
): Promise<number> {
  const passwordHash = password === undefined ? null : await withPasswordSlot(() => hashPassword(password), MAX_WAITING)
  if (id === undefined) {
    const created = await tx.one<{ id: number }>(
      'insert into users (email, name, locale, password_hash) values ($1, $2, $3, $4) returning id',
      [email, name, locale, passwordHash],
    )
    return created.id
  }
  await tx.query('update users set name = $2, locale = $3 where id = $1', [id, name, locale])
  await renewCredentials(tx, id, passwordHash, false)
  return id
}

/**
 * Nobody gives, or takes from anybody, more than they have: an administrator of some sites manages the people of those. A
 * key has nothing to do with administrators: who has taken one would make themselves one, and outlive the key.
 * @throws AppError forbidden
 */
export function checkGrant(
  { siteIds, queueIds, role: own }: Actor,
  { site_ids, queue_ids, role }: { site_ids: number[] | null; queue_ids: number[] | null; role: string },
): void {
  if (own === 'api_key' && role === 'admin') throw new AppError('forbidden', 'forbidden')
  const isWithin = (own: readonly number[] | undefined, given: number[] | null) =>
    own === undefined || (given !== null && given.every((id) => own.includes(id)))
  if (!isWithin(siteIds, site_ids) || !isWithin(queueIds, queue_ids)) throw new AppError('forbidden', 'forbidden')
}

/** @throws AppError not_found when a site or queue is not this tenant's */
export async function checkMembership(
  tx: Tx,
  { site_ids, queue_ids }: { site_ids: number[] | null; queue_ids: number[] | null },
): Promise<void> {
  const { unknown } = await tx.one<{ unknown: boolean }>(
    `select exists (select unnest($1::bigint[]) except select id from sites)
         or exists (select unnest($2::bigint[]) except select id from queues) as unknown`,
    [site_ids ?? [], queue_ids ?? []],
  )
  if (unknown) throw notFound()
}
