import Type from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { operation } from '../../kernel/operation.ts'
import { Closed, Slug, Text } from '../../kernel/schema.ts'
import { ACCOUNT_COLUMNS, OPERATOR, placesOf, standingIn, type AccountRow, type Standing } from './accounts.ts'
import { checkAttempts, forgetFailures, recordFailure } from './attempts.ts'
import { passwordMatches, withPasswordSlot } from './passwords.ts'
import { Token, Tokens } from './schema.ts'
import { refreshSession, startTokens } from './sessions.ts'
import type { Place } from './schema.ts'

/** One answer for a wrong password, an unknown or closed account and a tenant that is not theirs. */
const refused = () => new AppError('unauthorized', 'invalid_credentials')

export const token = operation({
  id: 'auth.token',
  kind: 'mutation',
  summary: 'Sign in with e-mail and password',
  description:
    'Without `tenant` an operator signs in to the platform, anybody else to their first tenant. ' +
    'Refusals take as long for accounts that do not exist.',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/token/', base: 'root' },
  transaction: false,
  input: Closed({ email: Text(254), password: Text(200), tenant: Type.Optional(Slug) }),
  output: Tokens,
  example: { input: { email: 'agent1@demo-bank.example', password: 'correct horse battery', tenant: 'demo-bank' } },
  async run({ tx, origin }, { email: typed, password, tenant }) {
    const email = typed.trim().toLowerCase()
    checkAttempts(email)
    const { account, matches } = await withPasswordSlot(async () => {
      const account = await tx.maybe<AccountRow & { password_hash: string | null }>(
        `select ${ACCOUNT_COLUMNS}, u.password_hash from users u where u.email = $1 and u.is_active`,
        [email],
      )
      return { account, matches: await passwordMatches(account?.password_hash, password) }
    })
    const standing = account && matches ? choose(account, await placesOf(tx, account.id), tenant) : undefined
    if (!account || !standing) {
      recordFailure(email)
      throw refused()
    }
    forgetFailures(email)
    return startTokens(tx, { account, standing, method: 'password', passwordHash: account.password_hash, origin })
  },
})

function choose(account: AccountRow, places: Place[], tenant: string | undefined): Standing | undefined {
  if (tenant === undefined && account.is_operator) return OPERATOR
  const place = tenant === undefined ? places[0] : places.find(({ slug }) => slug === tenant)
  return place && standingIn(place)
}

export const refresh = operation({
  id: 'auth.refresh',
  kind: 'mutation',
  summary: 'Exchange a refresh token for new tokens',
  description: 'Each refresh token works once; a second use ends the session, since somebody has a copy.',
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/token/refresh/', base: 'root' },
  transaction: false,
  input: Closed({ refresh: Token }),
  output: Tokens,
  example: { input: { refresh: 'eyJhbGciOiJIUzI1NiJ9.e30.signature' } },
  run: ({ tx }, { refresh: presented }) => refreshSession(tx, presented),
})
