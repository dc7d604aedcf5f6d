import Type, { type Static } from 'typebox'
import { ROLES } from '../../kernel/access.ts'
import { Closed, Enum, Id, Locale, Name, Nullable, Seconds, Slug, Text } from '../../kernel/schema.ts'

export const MEMBER_ROLES = ['admin', 'supervisor', 'agent'] as const

export const Email = Type.String({ format: 'email', maxLength: 254 })
export const Password = Text(200, { minLength: 10 })
export const Token = Type.String({ minLength: 1, maxLength: 4000 })

/** A person who signs in. */
export const Account = Closed({ id: Id, email: Type.String(), name: Name, locale: Nullable(Locale) })
export type Account = Static<typeof Account>

/** A tenant this person may sign in to. */
export const Place = Closed({
  id: Id,
  slug: Slug,
  name: Name,
  locale: Locale,
  timezone: Type.String(),
  role: Enum(MEMBER_ROLES),
})
export type Place = Static<typeof Place>

/** Who signed in, and where. `tenant` is null for operators of the platform. */
export const identity = {
  tenant: Nullable(Place),
  user: Nullable(Account),
  role: Enum(ROLES),
  scopes: Type.Array(Type.String()),
}
export const Tokens = Closed({
  access: Type.String(),
  refresh: Type.String(),
  token_type: Enum(['Bearer']),
  expires_in: Seconds,
  ...identity,
})
export type Tokens = Static<typeof Tokens>

/** A console's session: its id is in the cookie alone, never in an answer. */
export const ConsoleSession = Closed({
  ...identity,
  csrf_token: Type.String({ description: 'To be sent as X-CSRF-Token with every change' }),
})
export type ConsoleSession = Static<typeof ConsoleSession>

/** For a few minutes: I have just proved who I am. */
export const Proof = Closed({ biometric_token: Type.String(), expires_in: Seconds })
