import type { Tx } from '../../../kernel/db/types.ts'
import { AppError } from '../../../kernel/errors.ts'
import { mac, verify } from '../keys.ts'
import { issueOnce, redeemOnce } from '../one-time.ts'

const MINUTE = 60
/** What a link in an e-mail is good for, and how long: whoever reads the e-mail can use it. */
export const LINK_SECONDS = { reset: 30 * MINUTE, email: 24 * 60 * MINUTE, invitation: 7 * 24 * 60 * MINUTE } as const

export interface Links {
  /** A new password, while the present one stays. */
  reset: { user_id: number; stamp: string }
  /** A new address, while the present one stays. */
  email: { user_id: number; from: string; to: string }
  invitation: { tenant_id: number; invitation_id: number; nonce: string }
}
export type Purpose = keyof Links

export const issueLink = <P extends Purpose>(tx: Tx, purpose: P, claims: Links[P]): Promise<string> =>
  issueOnce(tx, 'link', { ...claims, purpose }, LINK_SECONDS[purpose])

/** What a link says, without using it up. @throws AppError unauthorized `link_expired` */
export function readLink<P extends Purpose>(purpose: P, token: string): Links[P] {
  let claims: Record<string, unknown>
  try {
    claims = verify('link', token)
  } catch (error) {
    throw new AppError('unauthorized', 'link_expired', { cause: error })
  }
  if (claims['purpose'] !== purpose) throw new AppError('unauthorized', 'link_expired')
  return claims as unknown as Links[P]
}

/** What a link says; it works once. @throws AppError unauthorized `link_expired` */
export async function redeemLink<P extends Purpose>(tx: Tx, purpose: P, token: string): Promise<Links[P]> {
  const claims = readLink(purpose, token)
  await redeemOnce(tx, 'link', token).catch((error: unknown) => {
    throw error instanceof AppError && error.kind === 'unauthorized'
      ? new AppError('unauthorized', 'link_expired')
      : error
  })
  return claims
}

/** Changes with the password, so that a link sent before the change is worth nothing after it. */
export const passwordStamp = (userId: number, passwordHash: string | null): string =>
  mac('password', `${userId}:${passwordHash ?? ''}`)
