import type { Actor } from '../../kernel/access.ts'
import type { Cache } from '../../kernel/cache/cache.ts'
import { ALL } from '../../kernel/cache/key.ts'
import type { Credential } from './opaque-tokens.ts'

/**
 * What is known of a credential is looked up again after this, whichever process looked it up; that it was revoked is
 * heard at once.
 */
const LIFE_MS = 5000

/** A credential as plain data. */
type Plain = Omit<Credential, 'actor'> & { actor: Omit<Actor, 'scopes'> & { scopes: string[] } }

/** Credentials by the hash of what is shown for them; the secret itself is kept nowhere. */
export class KnownCredentials {
  #cache: Cache
  #what: string
  #actors = new WeakMap<Plain, Credential>()

  constructor(what: 'console-session' | 'opaque-token', cache: Cache) {
    this.#what = what
    this.#cache = cache
  }

  /** @param tenant that the credential names, if it does */
  async get(
    hash: Buffer,
    tenant: number | typeof ALL,
    read: () => Promise<Credential | undefined>,
  ): Promise<Credential | undefined> {
    const of = hash.toString('base64url')
    // The hash of 190 random bits or more is one reader, whose language is part of the value.
    const key = { what: this.#what, version: 1, tenant, reader: 'holder', language: ALL, of } as const
    const plain = await this.#cache.get(key, LIFE_MS, async () => plainOf(await read()))
    if (!plain) return undefined
    let credential = this.#actors.get(plain)
    if (!credential) {
      const { actor, ...rest } = plain
      this.#actors.set(plain, (credential = { ...rest, actor: { ...actor, scopes: new Set(actor.scopes) } }))
    }
    return credential
  }
}

const plainOf = (credential: Credential | undefined): Plain | undefined =>
  credential && { ...credential, actor: { ...credential.actor, scopes: [...credential.actor.scopes] } }
