import Type from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import type { Tx } from '../../../kernel/db/types.ts'
import { AppError, conflict } from '../../../kernel/errors.ts'
import { operation, type Context } from '../../../kernel/operation.ts'
import { Closed } from '../../../kernel/schema.ts'
import { ACCOUNT_COLUMNS, chooseStanding, refused, type AccountRow } from '../accounts.ts'
import { startConsole } from '../console.ts'
import { isKeptBySomebody, storeAccount } from '../create-user.ts'
import { redeemOnce } from '../one-time.ts'
import { revokeUser } from '../revocations.ts'
import { ConsoleSession } from '../schema.ts'
import { lockMemberships } from '../users.ts'
import type { Ticket } from './sign-in.ts'

export const enter = operation({
  id: 'sso.enter',
  kind: 'mutation',
  summary: 'Come in with what the organisation’s own provider vouched for',
  description: 'Who comes for the first time becomes a member. The session is for this organisation alone.',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/sso/enter/', base: 'public', cookie: 'session' },
  input: Closed({ ticket: Type.String({ minLength: 1, maxLength: 4000 }) }),
  output: ConsoleSession,
  example: { input: { ticket: 'eyJhbGciOiJIUzI1NiJ9.e30.signature' } },
  constraints: { users_email_key: () => conflict('email_taken') },
  async run(ctx, { ticket: token }) {
    const { tx, tenant, origin } = ctx
    const ticket = await redeemOnce<Ticket>(tx, 'sso', token)
    const isOurs = await tx.maybe('select from identity_providers where issuer = $1 and is_active', [ticket.issuer])
    if (ticket.tenant_id !== tenant.id || !isOurs) throw new AppError('unauthorized', 'sso_refused')
    const userId = (await knownAs(tx, ticket)) ?? (await join(ctx, ticket))
    await followRole(ctx, userId, ticket)
    const account = await tx.maybe<AccountRow>(
      `select ${ACCOUNT_COLUMNS} from users u join memberships m on m.user_id = u.id and m.is_active
       where u.id = $1 and u.is_active and not u.is_operator`,
      [userId],
    )
    if (!account) throw refused()
    const standing = await chooseStanding(tx, account, tenant.slug)
    // Their organisation's word is no proof of their own: what belongs to the person asks for one.
    return startConsole(tx, { account, standing, method: 'sso', isProven: false, origin })
  },
})

const knownAs = async (tx: Tx, { issuer, subject }: Ticket): Promise<number | undefined> =>
  (
    await tx.maybe<{ user_id: number }>('select user_id from provider_identities where issuer = $1 and subject = $2', [
      issuer,
      subject,
    ])
  )?.user_id

/**
 * The first time: a member with this e-mail, else a new one. Somebody else's account is not taken: another organisation
 * cannot say whose it is, only an invitation to its e-mail can.
 */
async function join({ tx, emit }: Context, { issuer, subject, email, name, role }: Ticket): Promise<number> {
  const known = await tx.maybe<{ id: number }>('select id from users where email = $1 for no key update', [email])
  const member = known && (await tx.maybe('select from memberships where user_id = $1', [known.id]))
  let userId = known?.id
  if (!member) {
    if (userId !== undefined && (await isKeptBySomebody(tx, userId))) throw conflict('invitation_needed')
    userId = await storeAccount(tx, userId, { email, name })
    await tx.query('insert into memberships (user_id, role) values ($1, $2)', [userId, role])
    emit({ type: 'user.created', site_id: 0, data: { user: { id: userId, role } } })
  }
  await tx.query('insert into provider_identities (issuer, subject, user_id) values ($1, $2, $3)', [
    issuer,
    subject,
    userId,
  ])
  return userId!
}

/** The provider decides the role; only the last administrator keeps theirs, so that somebody can still change it back. */
async function followRole({ tx, tenant, emit }: Context, userId: number, { role }: Ticket): Promise<void> {
  const { otherAdmins } = await lockMemberships(tx, userId)
  const before = await tx.maybe<{ role: string }>('select role from memberships where user_id = $1', [userId])
  if (!before || before.role === role || (before.role === 'admin' && otherAdmins === 0)) return
  await tx.query('update memberships set role = $2 where user_id = $1', [userId, role])
  await revokeUser(tx, userId, tenant.id)
  emit({ type: 'user.updated', site_id: 0, data: { user: { id: userId, role } } })
}
