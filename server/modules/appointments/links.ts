import { notFound } from '../../kernel/errors.ts'
import type { Tx } from '../../kernel/db/types.ts'
import { hashToken, newVisitorToken } from '../../kernel/ids.ts'
import type { Context } from '../../kernel/operation.ts'

/** `confirm` is sent to the person's own address only, so who has it can read what is sent there. */
export type LinkPurpose = 'manage' | 'confirm'

/** A new secret that opens an appointment. It is known now and never again: only its hash is kept. */
export async function newLink(tx: Tx, tenantId: number, appointmentId: number, purpose: LinkPurpose): Promise<string> {
  const token = newVisitorToken(tenantId)
  await tx.query('insert into appointment_links (appointment_id, token_hash, purpose) values ($1, $2, $3)', [
    appointmentId,
    hashToken(token),
    purpose,
  ])
  return token
}

/** What a secret opens. @throws AppError not_found when it opens nothing */
export async function openLink({ tx }: Context, link: string): Promise<{ id: number; purpose: LinkPurpose }> {
  const row = await tx.maybe<{ id: number; purpose: LinkPurpose }>(
    'select appointment_id as id, purpose from appointment_links where token_hash = $1',
    [hashToken(link)],
  )
  if (!row) throw notFound()
  return row
}
