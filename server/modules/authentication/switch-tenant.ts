import { AppError } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Slug } from '../../kernel/schema.ts'
import { ACCOUNT_COLUMNS, chooseStanding, type AccountRow } from './accounts.ts'
import { startConsole } from './console.ts'
import { PEOPLE } from './own-sessions.ts'
import { revokeSession, rowOf } from './revocations.ts'
import { ConsoleSession } from './schema.ts'
import type { Method } from './sessions.ts'

export const switchTenant = operation({
  id: 'auth.switchTenant',
  kind: 'mutation',
  summary: 'Go to another of my organisations',
  description:
    'A new console session there instead of this one. Who came in by an organisation’s own sign-in has shown it to ' +
    'that organisation only, and signs in again.',
  scope: null,
  roles: PEOPLE,
  http: { method: 'POST', path: '/auth/session/switch/', base: 'root', cookie: 'session' },
  transaction: false,
  input: Closed({ tenant: Slug }),
  output: ConsoleSession,
  example: { input: { tenant: 'demo-bank' } },
  async run({ tx, actor, origin }, { tenant }) {
    const account = await tx.maybe<AccountRow & { method: Method }>(
      `select ${ACCOUNT_COLUMNS}, s.method from sessions s join users u on u.id = s.user_id and u.is_active
       where s.id = $1 and s.revoked_at is null and s.kind = 'console'`,
      [rowOf(actor.sessionId)],
    )
    if (!account || (account.method !== 'password' && account.method !== 'passkey'))
      throw new AppError('forbidden', 'forbidden')
    const standing = await chooseStanding(tx, account, tenant)
    const session = await startConsole(tx, { account, standing, method: account.method, isProven: false, origin })
    await revokeSession(tx, actor.sessionId!)
    return session
  },
})
