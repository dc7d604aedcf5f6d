import type { Tx } from '../../kernel/db/types.ts'
import { revokeUser } from './revocations.ts'

/**
 * Begins an account's credentials anew: whoever knew its password, or had added a device to it, does not come along.
 * @param isVerified the person has shown that the e-mail is theirs
 */
export async function renewCredentials(
  tx: Tx,
  userId: number,
  passwordHash: string | null,
  isVerified: boolean,
): Promise<void> {
  await tx.query(
    `update users set password_hash = $2, email_verified_at = case when $3 then now() end, updated_at = now() where id = $1`,
    [userId, passwordHash, isVerified],
  )
  await tx.query('delete from passkeys where user_id = $1', [userId])
  await tx.query('delete from code_generators where user_id = $1', [userId])
  await tx.query('delete from recovery_codes where user_id = $1', [userId])
  await revokeUser(tx, userId)
}
