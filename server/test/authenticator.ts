import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

/** CBOR (RFC 8949) of what WebAuthn needs: whole numbers, texts, bytes and maps. */
export type Cbor = number | string | Buffer | Map<number | string, Cbor>
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, each]) => [cbor(key), cbor(each)])])
}
function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(major << 5) | size])
  if (size < 256) return Buffer.from([(major << 5) | 24, size])
  return Buffer.from([(major << 5) | 25, size >> 8, size & 255])
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()
const text = (data: Buffer) => data.toString('base64url')

/** Everything an authenticator and its browser say; a test changes what it likes before it is signed and sent. */
export interface Parts {
  clientData: Record<string, unknown>
  rpId: string
  isPresent: boolean
  isVerified: boolean
  isBackupEligible: boolean
  isBackedUp: boolean
  signCount: number
  /** In the signed data; what is sent beside it may say otherwise. */
  credentialId: Buffer
  algorithm: number
  hasCredential: boolean
  format: string
  statement: Map<string, Cbor>
  signWith: KeyObject
  userHandle: string | undefined
}
type Change = (parts: Parts) => void
type Json = Record<string, any>

/** An authenticator with one ES256 key, as WebAuthn L3 §6 describes it, for one origin. */
export class SoftAuthenticator {
  readonly credentialId = randomBytes(32)
  readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  signCount = 0
  userHandle: string | undefined
  #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  /** `navigator.credentials.create` and `toJSON`. */
  create(options: Json, change: Change = () => {}): Json {
    const parts = this.#parts('webauthn.create', options['challenge'] as string, options['rp'].id as string)
    this.userHandle = options['user'].id as string
    change(parts)
    const clientData = Buffer.from(JSON.stringify(parts.clientData))
    const authData = this.#authData(parts)
    const attestation = new Map<string, Cbor>([
      ['fmt', parts.format],
      ['attStmt', parts.statement],
      ['authData', authData],
    ])
    return {
      id: text(this.credentialId),
      rawId: text(this.credentialId),
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: text(clientData),
        attestationObject: text(cbor(attestation)),
        transports: ['internal', 'hybrid'],
      },
    }
  }

  /** `navigator.credentials.get` and `toJSON`. */
  get(options: Json, change: Change = () => {}): Json {
    const parts = this.#parts('webauthn.get', options['challenge'] as string, options['rpId'] as string)
    parts.signCount = ++this.signCount
    parts.hasCredential = false
    change(parts)
    const clientData = Buffer.from(JSON.stringify(parts.clientData))
    const authData = this.#authData(parts)
    const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), parts.signWith)
    return {
      id: text(this.credentialId),
      rawId: text(this.credentialId),
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: text(clientData),
        authenticatorData: text(authData),
        signature: text(signature),
        ...(parts.userHandle !== undefined && { userHandle: parts.userHandle }),
      },
    }
  }

  #parts(type: string, challenge: string, rpId: string): Parts {
    return {
      clientData: { type, challenge, origin: this.#origin, crossOrigin: false },
      rpId,
      isPresent: true,
      isVerified: true,
      isBackupEligible: true,
      isBackedUp: true,
      signCount: this.signCount,
      credentialId: this.credentialId,
      algorithm: -7,
      hasCredential: true,
      format: 'none',
      statement: new Map(),
      signWith: this.keys.privateKey,
      userHandle: this.userHandle,
    }
  }

  #authData(parts: Parts): Buffer {
    const bits = [
      parts.isPresent,
      false,
      parts.isVerified,
      parts.isBackupEligible,
      parts.isBackedUp,
      false,
      parts.hasCredential,
    ]
    const flags = bits.reduce((sum, bit, i) => sum + (bit ? 1 << i : 0), 0)
    const fixed = Buffer.alloc(37)
    sha256(parts.rpId).copy(fixed)
    fixed[32] = flags
    fixed.writeUInt32BE(parts.signCount, 33)
    if (!parts.hasCredential) return fixed
    const { x, y } = this.keys.publicKey.export({ format: 'jwk' })
    const key = new Map<number, Cbor>([
      [1, 2],
      [3, parts.algorithm],
      [-1, 1],
      [-2, Buffer.from(x!, 'base64url')],
      [-3, Buffer.from(y!, 'base64url')],
    ])
    const length = Buffer.from([parts.credentialId.length >> 8, parts.credentialId.length & 255])
    return Buffer.concat([fixed, Buffer.alloc(16), length, parts.credentialId, cbor(key)])
  }
}
