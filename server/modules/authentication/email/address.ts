import Type from 'typebox'
import { ROLES } from '../../../kernel/access.ts'
import { AppError, conflict } from '../../../kernel/errors.ts'
import { operation } from '../../../kernel/operation.ts'
import { Closed } from '../../../kernel/schema.ts'
import { checkAttempts, recordFailure } from '../attempts.ts'
import { PEOPLE } from '../own-sessions.ts'
import { Email } from '../schema.ts'
import { EMAIL } from './jobs.ts'
import { redeemLink } from './links.ts'
import { LinkToken } from './password.ts'

const MAX_MESSAGES = 5

export const changeEmail = operation({
  id: 'auth.changeEmail',
  kind: 'mutation',
  summary: 'Change my e-mail',
  description: 'Takes effect when the link sent to the new address is opened; the old address is told.',
  scope: null,
  roles: PEOPLE,
  needsProof: true,
  http: { method: 'POST', path: '/auth/email/', base: 'root', status: 204 },
  input: Closed({ email: Email }),
  output: Type.Null(),
  example: { input: { email: 'agent1@demo-bank.example' } },
  async run(ctx, input) {
    const userId = ctx.actor.userId!
    await checkAttempts(`email:${userId}`, MAX_MESSAGES)
    await recordFailure(`email:${userId}`)
    const payload = { user_id: userId, email: input.email.toLowerCase(), base: ctx.url(''), locale: ctx.locale }
    await ctx.enqueue(EMAIL, payload, { job_key: `email:${userId}` })
    return null
  },
})

export const confirmEmail = operation({
  id: 'auth.confirmEmail',
  kind: 'mutation',
  summary: 'Confirm a new e-mail with the link sent to it',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/email/confirm/', base: 'root', status: 204 },
  input: Closed({ token: LinkToken }),
  output: Type.Null(),
  example: { input: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.signature' } },
  constraints: { users_email_key: () => conflict('email_taken') },
  async run({ tx }, { token }) {
    const { user_id, from, to } = await redeemLink(tx, 'email', token)
    const changed = await tx.maybe(
      `update users set email = $3, updated_at = now() where id = $1 and email = $2 and is_active returning id`,
      [user_id, from, to],
    )
    if (!changed) throw new AppError('unauthorized', 'link_expired')
    return null
  },
})
