import Type, { type Static } from 'typebox'
import { Closed, Enum, Id, Name, Nullable, Time } from '../../../kernel/schema.ts'

const Base64Url = (maxLength: number) => Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength })
/** Ids of 1023 bytes at most (WebAuthn L3 §4). */
const CredentialId = Base64Url(1364)
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const
const Attachment = Type.Optional(Nullable(Enum(['platform', 'cross-platform'])))
/** Results of extensions, of which none is asked for. */
const Extensions = Type.Optional(Type.Record(Type.String({ maxLength: 50 }), Type.Unknown(), { maxProperties: 20 }))

/** What `PublicKeyCredential.toJSON()` gives after `navigator.credentials.create` (WebAuthn L3 §5.1). */
export const RegistrationResponse = Closed({
  id: CredentialId,
  rawId: CredentialId,
  type: Type.String({ maxLength: 50 }),
  authenticatorAttachment: Attachment,
  clientExtensionResults: Extensions,
  response: Closed({
    clientDataJSON: Base64Url(4000),
    attestationObject: Base64Url(20_000),
    authenticatorData: Type.Optional(Base64Url(10_000)),
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 30 }), { maxItems: 10 })),
    publicKey: Type.Optional(Nullable(Base64Url(4000))),
    publicKeyAlgorithm: Type.Optional(Type.Integer()),
  }),
})
export type RegistrationResponse = Static<typeof RegistrationResponse>

/** The same after `navigator.credentials.get`. */
export const AssertionResponse = Closed({
  id: CredentialId,
  rawId: CredentialId,
  type: Type.String({ maxLength: 50 }),
  authenticatorAttachment: Attachment,
  clientExtensionResults: Extensions,
  response: Closed({
    clientDataJSON: Base64Url(4000),
    authenticatorData: Base64Url(10_000),
    signature: Base64Url(4000),
    userHandle: Type.Optional(Nullable(Base64Url(100))),
  }),
})
export type AssertionResponse = Static<typeof AssertionResponse>

export const ChallengeId = Type.String({ minLength: 1, maxLength: 2000 })
/** Goes to `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` as it is. */
export const Options = Closed({
  challenge_id: Type.String({ description: 'To be sent back with the response' }),
  options: Type.Unsafe<object>({ type: 'object', additionalProperties: true }),
})

export const Passkey = Closed({
  id: Id,
  name: Name,
  is_backed_up: Type.Boolean({ description: 'Copied to other devices of the person' }),
  created_at: Time,
  last_used_at: Nullable(Time),
})
export type Passkey = Static<typeof Passkey>
export const PASSKEY_COLUMNS = 'id, name, is_backed_up, created_at, last_used_at'

export const knownTransports = (given: readonly string[] = []) =>
  TRANSPORTS.filter((transport) => given.includes(transport))
