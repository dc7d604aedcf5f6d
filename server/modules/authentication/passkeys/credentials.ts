import type { Tx } from '../../../kernel/db/types.ts'
import { AppError } from '../../../kernel/errors.ts'
import { ACCOUNT_COLUMNS, type AccountRow } from '../accounts.ts'
import type { AssertionResponse } from './schema.ts'
import { verifyAssertion, type RelyingParty, type StoredCredential } from './verify.ts'

/**
 * Whose passkey answered the challenge. An unknown one is refused like a wrong answer.
 * @param userId only this person's passkeys count
 * @throws AppError unauthorized `passkey_refused`
 */
export async function useCredential(
  tx: Tx,
  response: AssertionResponse,
  challenge: string,
  party: RelyingParty,
  userId: number | null = null,
): Promise<AccountRow> {
  const found = await tx.maybe<AccountRow & Omit<StoredCredential, 'id'> & { passkey_id: number }>(
    `select ${ACCOUNT_COLUMNS}, u.handle, p.id as passkey_id, p.credential_id, p.public_key, p.sign_count, p.is_backup_eligible
     from passkeys p join users u on u.id = p.user_id and u.is_active
     where p.credential_id = $1 and ($2::bigint is null or p.user_id = $2)`,
    [response.id, userId],
  )
  if (!found) throw new AppError('unauthorized', 'passkey_refused')
  const { passkey_id: id, ...account } = found
  const { sign_count, is_backed_up } = await verifyAssertion(response, challenge, party, { ...found, id })
  // A counter that has moved on meanwhile means two devices with one key.
  const used = await tx.maybe(
    `update passkeys set sign_count = $2, is_backed_up = $3, last_used_at = now()
     where id = $1 and (sign_count < $2 or $2 = 0 and sign_count = 0) returning id`,
    [id, sign_count, is_backed_up],
  )
  if (!used) throw new AppError('unauthorized', 'passkey_refused')
  return account
}
