import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { AppError } from '../../kernel/errors.ts'
import { operation, type Context } from '../../kernel/operation.ts'
import { Closed, Slug, Text } from '../../kernel/schema.ts'
import { ACCOUNT_COLUMNS, chooseStanding, refused, type AccountRow } from './accounts.ts'
import { checkAttempts, forgetFailures, recordFailure } from './attempts.ts'
import { noteFailedSignIn } from './failed-sign-ins.ts'
import { passwordMatches, withPasswordSlot } from './passwords.ts'
import { startConsole } from './console.ts'
import { checkSecondFactor, Code } from './second-factor/check.ts'
import { ConsoleSession, Token, Tokens } from './schema.ts'
import { refreshSession, startTokens, type SignIn } from './sessions.ts'

const credentials = Closed({
  email: Text(254),
  password: Text(200),
  tenant: Type.Optional(Slug),
  code: Type.Optional(Code),
})
const description =
  'Without `tenant` an operator signs in to the platform, anybody else to their first tenant. ' +
  'Refusals take as long for accounts that do not exist. Who has set up an authenticator app is asked for its `code`.'
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

/** @throws AppError unauthorized `invalid_credentials` or `code_required`, limit_exceeded `rate_limited` */
async function checkCredentials(
  { tx, origin }: Pick<Context, 'tx' | 'origin'>,
  { email: typed, password, tenant, code }: Static<typeof credentials>,
): Promise<SignIn> {
  const email = typed.trim().toLowerCase()
  await checkAttempts(email)
  let userId: number | undefined
  try {
    const { account, matches } = await withPasswordSlot(async () => {
      const account = await tx.maybe<AccountRow & { password_hash: string | null }>(
        `select ${ACCOUNT_COLUMNS}, u.password_hash from users u where u.email = $1 and u.is_active`,
        [email],
      )
      return { account, matches: await passwordMatches(account?.password_hash, password) }
    })
    userId = account?.id
    if (!account || !matches) throw refused()
    const standing = await chooseStanding(tx, account, tenant)
    await checkSecondFactor(tx, account.id, code)
    await forgetFailures(email)
    return { account, standing, method: 'password', passwordHash: account.password_hash, origin }
  } catch (error) {
    if (error instanceof AppError && (error.code === 'invalid_credentials' || error.code === 'code_wrong')) {
      noteFailedSignIn(userId, origin)
      if (error.code === 'invalid_credentials') await recordFailure(email)
    }
    throw error
  }
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
