import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { AppError } from '../../../kernel/errors.ts'
import type { AssertionResponse, RegistrationResponse } from './schema.ts'
import { knownTransports } from './schema.ts'

/** Loaded when somebody uses a passkey: it takes a sixth of the time that the whole program takes to load. */
export const webAuthn = () => import('@simplewebauthn/server')

/** EdDSA, ECDSA with P-256, RSA: what every authenticator has one of. */
export const ALGORITHMS = [-8, -7, -257]

/** Where this installation is: the relying party, and the one origin whose pages count. */
export interface RelyingParty {
  id: string
  origin: string
}
export function relyingParty(url: (path: string) => string): RelyingParty {
  const { hostname, origin } = new URL(url('/'))
  return { id: hostname, origin }
}

const refused = (cause?: unknown) => new AppError('unauthorized', 'passkey_refused', { cause })

/** What the library leaves out: an answer made inside somebody else's page (WebAuthn L3 §13.4.9). */
function checkFrame(clientDataJSON: string): void {
  const { crossOrigin, topOrigin } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as Record<
    string,
    unknown
  >
  if (crossOrigin === true || topOrigin !== undefined) throw refused()
}

export interface NewCredential {
  credential_id: string
  public_key: Uint8Array
  sign_count: number
  transports: string[]
  is_backup_eligible: boolean
  is_backed_up: boolean
}

/** Steps of WebAuthn L3 §7.1. @throws AppError unauthorized `passkey_refused` */
export async function verifyRegistration(
  response: RegistrationResponse,
  challenge: string,
  { id, origin }: RelyingParty,
): Promise<NewCredential> {
  const { verifyRegistrationResponse } = await webAuthn()
  const { verified, registrationInfo: info } = await verifyRegistrationResponse({
    // The library's types know no null, which browsers send for what they do not know.
    response: response as unknown as RegistrationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((error: unknown) => {
    throw refused(error)
  })
  // No attestation was asked for: whatever else comes is not what a browser sends.
  if (!verified || !['none', 'packed'].includes(info.fmt) || info.credential.id !== response.id) throw refused()
  checkFrame(response.response.clientDataJSON)
  return {
    credential_id: info.credential.id,
    public_key: info.credential.publicKey,
    sign_count: info.credential.counter,
    transports: knownTransports(response.response.transports),
    is_backup_eligible: info.credentialDeviceType === 'multiDevice',
    is_backed_up: info.credentialBackedUp,
  }
}

export interface StoredCredential {
  id: number
  credential_id: string
  public_key: Buffer
  sign_count: number
  is_backup_eligible: boolean
  handle: string
}

/** Steps of WebAuthn L3 §7.2. @throws AppError unauthorized `passkey_refused` */
export async function verifyAssertion(
  response: AssertionResponse,
  challenge: string,
  { id, origin }: RelyingParty,
  stored: StoredCredential,
): Promise<{ sign_count: number; is_backed_up: boolean }> {
  const { verifyAuthenticationResponse } = await webAuthn()
  const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
    response: response as unknown as AuthenticationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
    credential: {
      id: stored.credential_id,
      publicKey: new Uint8Array(stored.public_key),
      counter: stored.sign_count,
    },
  }).catch((error: unknown) => {
    throw refused(error)
  })
  const { userHandle } = response.response
  const isOwn = userHandle === undefined || userHandle === null || userHandle === handleText(stored.handle)
  const isSameKind = (info.credentialDeviceType === 'multiDevice') === stored.is_backup_eligible
  if (!verified || !isOwn || !isSameKind) throw refused()
  checkFrame(response.response.clientDataJSON)
  return { sign_count: info.newCounter, is_backed_up: info.credentialBackedUp }
}

/** A person's handle as authenticators keep it: 16 random bytes. */
export const handleBytes = (handle: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(handle.replaceAll('-', ''), 'hex'))
const handleText = (handle: string) => Buffer.from(handleBytes(handle)).toString('base64url')
