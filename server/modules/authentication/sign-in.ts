import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Slug, Text } from '../../kernel/schema.ts'
import {
  ACCOUNT_COLUMNS,
  OPERATOR,
  placesOf,
  standingIn,
  type AccountRow,
  type Membership,
  type Standing,
} from './accounts.ts'
import { checkAttempts, forgetFailures, recordFailure } from './attempts.ts'
import { passwordMatches, withPasswordSlot } from './passwords.ts'
import { startConsole } from './console.ts'
import { ConsoleSession, Token, Tokens } from './schema.ts'
import { refreshSession, startTokens, type SignIn } from './sessions.ts'

/** One answer for a wrong password, an unknown or closed account and a tenant that is not theirs. */
const refused = () => new AppError('unauthorized', 'invalid_credentials')

const credentials = Closed({ email: Text(254), password: Text(200), tenant: Type.Optional(Slug) })
const description =
  'Without `tenant` an operator signs in to the platform, anybody else to their first tenant. ' +
  'Refusals take as long for accounts that do not exist.'
const example = { input: { email: 'agent1@demo-bank.example', password: 'correct horse battery', tenant: 'demo-bank' } }

export const token = operation({
  id: 'auth.token',
  kind: 'mutation',
  summary: 'Sign in with e-mail and password',
  description,
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/token/', base: 'root' },
  transaction: false,
  input: credentials,
  output: Tokens,
  example,
  run: async (ctx, input) => startTokens(ctx.tx, await checkCredentials(ctx, input)),
})

export const login = operation({
  id: 'auth.login',
  kind: 'mutation',
  summary: 'Sign in to the console',
  description: `${description} The session is an opaque id in a cookie that scripts cannot read.`,
  scope: null,
  roles: ROLES,
  http: { method: 'POST', path: '/auth/session/', base: 'root', cookie: 'session' },
  transaction: false,
  input: credentials,
  output: ConsoleSession,
  example,
  run: async (ctx, input) => startConsole(ctx.tx, await checkCredentials(ctx, input)),
})

/** @throws AppError unauthorized `invalid_credentials`, limit_exceeded `rate_limited` */
async function checkCredentials(
  { tx, origin }: Pick<Context, 'tx' | 'origin'>,
  { email: typed, password, tenant }: Static<typeof credentials>,
): Promise<SignIn> {
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
  return { account, standing, method: 'password', passwordHash: account.password_hash, origin }
}

function choose(account: AccountRow, places: Membership[], tenant: string | undefined): Standing | undefined {
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
