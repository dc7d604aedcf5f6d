import { browserSupportsWebAuthn, startAuthentication } from '@simplewebauthn/browser'
import { call, Problem } from '../../../data/api.ts'
import {
  authLogin,
  authLogout,
  authSession,
  passkeysSignIn,
  passkeysSignInOptions,
  type AuthSession,
} from '../../../data/operations.ts'

export type Session = AuthSession & {
  tenant: NonNullable<AuthSession['tenant']>
  user: NonNullable<AuthSession['user']>
}

/** Only members of an organisation have a desk. */
export const isMember = (session: AuthSession | null): session is Session => Boolean(session?.tenant && session.user)

export interface Credentials {
  tenant: string
  email: string
  password: string
  code: string
}
/** @throws Problem `code_required` when an authenticator app is set up and no code was given */
export async function signIn({ tenant, email, password, code }: Credentials): Promise<AuthSession> {
  await call(authLogin, { email, password, ...(tenant && { tenant }), ...(code && { code }) })
  return call(authSession, {})
}

export const hasPasskeys = browserSupportsWebAuthn

type Options = Parameters<typeof startAuthentication>[0]['optionsJSON']
type Answer = NonNullable<(typeof passkeysSignIn)['__types']>[0]['response']

/** @throws Problem, or a DOMException when the person turned the device's question down */
export async function signInByPasskey(tenant: string): Promise<AuthSession> {
  const { challenge_id, options } = await call(passkeysSignInOptions, {})
  const response = (await startAuthentication({ optionsJSON: options as unknown as Options })) as unknown as Answer
  await call(passkeysSignIn, { challenge_id, response, ...(tenant && { tenant }) })
  return call(authSession, {})
}

export const signOut = ({ csrf_token }: Session): Promise<unknown> => call(authLogout, {}, { csrf: csrf_token ?? '' })

/** The server does not know this session (any more). */
export const isSignedOut = (error: unknown): boolean => error instanceof Problem && error.status === 401
