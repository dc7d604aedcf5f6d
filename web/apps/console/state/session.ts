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

/** Members of an organisation, and operators of the platform, who are signed in without one. */
export type SignedIn = AuthSession & { user: NonNullable<AuthSession['user']> }
export type Session = SignedIn & { tenant: NonNullable<AuthSession['tenant']> }

export const isPerson = (session: AuthSession | null): session is SignedIn =>
  Boolean(session?.user && (session.tenant || session.role === 'operator'))
/** Only members of an organisation have a desk. */
export const isMember = (session: SignedIn): session is Session => session.tenant !== null

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

export const signOut = ({ csrf_token }: SignedIn): Promise<unknown> => call(authLogout, {}, { csrf: csrf_token ?? '' })

/** The server does not know this session (any more). */
export const isSignedOut = (error: unknown): boolean => error instanceof Problem && error.status === 401
