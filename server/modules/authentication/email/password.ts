import Type from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import { AppError } from '../../../kernel/errors.ts'
import { hashToken } from '../../../kernel/ids.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed, Text } from '../../../kernel/schema.ts'
import { checkAttempts, recordFailure } from '../attempts.ts'
import { PEOPLE } from '../own-sessions.ts'
import { checkPassword, hashPassword, withPasswordSlot } from '../passwords.ts'
import { renewCredentials } from '../renew-credentials.ts'
import { revokeUser } from '../revocations.ts'
import { Password } from '../schema.ts'
import { RESET } from './jobs.ts'
import { passwordStamp, readLink, redeemLink } from './links.ts'

export const LinkToken = Type.String({ minLength: 1, maxLength: 2000, description: 'Out of the link in the e-mail' })
/** Messages to one address in a quarter of an hour. */
const MAX_MESSAGES = 3

export const forgot = operation({
  id: 'auth.forgotPassword',
  kind: 'mutation',
  summary: 'Ask for a new password by e-mail',
  description: 'The answer and the work are the same whether or not there is such an account.',
  unaudited: 'changes nothing: the new password that may follow is recorded',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/password/forgot/', base: 'root', status: 204 },
  input: Closed({ email: Text(254) }),
  output: Type.Null(),
  example: { input: { email: 'agent1@demo-bank.example' } },
  async run(ctx, input) {
    const email = input.email.trim().toLowerCase()
    const key = `forgot:${email}`
    await checkAttempts(key, MAX_MESSAGES)
    await recordFailure(key)
    const payload = { email, base: ctx.url(''), locale: ctx.locale }
    await ctx.enqueue(RESET, payload, { job_key: `reset:${hashToken(email).toString('base64url')}` })
    return null
  },
})

export const reset = operation({
  id: 'auth.resetPassword',
  kind: 'mutation',
  summary: 'Choose a new password with the link of an e-mail',
  description:
    'Ends all sessions. Whoever shows for the first time that the e-mail is theirs begins with this password alone.',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/password/reset/', base: 'root', status: 204 },
  transaction: false,
  input: Closed({ token: LinkToken, password: Password }),
  output: Type.Null(),
  example: { input: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.signature', password: 'correct horse battery' } },
  async run({ tx }, { token, password }) {
    const { user_id: userId, stamp } = readLink('reset', token)
    const user = await tx.maybe<{ email: string; password_hash: string | null; is_verified: boolean }>(
      'select email, password_hash, email_verified_at is not null as is_verified from users where id = $1 and is_active',
      [userId],
    )
    if (!user || passwordStamp(userId, user.password_hash) !== stamp) throw new AppError('unauthorized', 'link_expired')
    checkPassword(password, user.email)
    const hash = await withPasswordSlot(() => hashPassword(password))
    await redeemLink(tx, 'reset', token)
    if (!user.is_verified) await renewCredentials(tx, userId, hash, true)
    else {
      await tx.query('update users set password_hash = $2, updated_at = now() where id = $1', [userId, hash])
      await revokeUser(tx, userId)
    }
    return null
  },
})

export const change = operation({
  id: 'auth.changePassword',
  kind: 'mutation',
  summary: 'Change my password',
  description: 'Ends my other sessions.',
  scope: null,
  roles: PEOPLE,
  needsProof: true,
  http: { method: 'POST', path: '/auth/password/', base: 'root', status: 204 },
  transaction: false,
  input: Closed({ password: Password }),
  output: Type.Null(),
  example: { input: { password: 'correct horse battery' } },
  async run({ tx, actor }, { password }) {
    const { email } = await tx.one<{ email: string }>('select email from users where id = $1', [actor.userId])
    checkPassword(password, email)
    const hash = await withPasswordSlot(() => hashPassword(password))
    await tx.query('update users set password_hash = $2, updated_at = now() where id = $1', [actor.userId, hash])
    await revokeUser(tx, actor.userId!, null, actor.sessionId)
    return null
  },
})
