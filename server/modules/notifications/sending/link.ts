import type { Runtime } from '../../../kernel/execute.ts'
import { hashToken } from '../../../kernel/ids.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import { mac } from '../../authentication/index.ts'

const SECRET_LENGTH = 26

/**
 * The page of the ticket or appointment, by a further secret that follows from the message: every attempt sends the same
 * text, and only the secret's hash is stored.
 */
export async function secretLink(
  runtime: Runtime,
  tenant: Tenant,
  messageId: number,
  { ticket_id, appointment_id }: { ticket_id: number | null; appointment_id: number | null },
): Promise<string> {
  const bits = BigInt(`0x${Buffer.from(mac('message link', `${tenant.id}:${messageId}`), 'base64url').toString('hex')}`)
  const token = `${tenant.id.toString(36)}-${bits.toString(36).padStart(SECRET_LENGTH, '0').slice(-SECRET_LENGTH)}`
  const statement =
    appointment_id === null
      ? 'insert into ticket_links (ticket_id, token_hash) values ($1, $2) on conflict do nothing'
      : `insert into appointment_links (appointment_id, token_hash, purpose) values ($1, $2, 'manage') on conflict do nothing`
  await runtime.db.tenant(tenant.id, (tx) => tx.query(statement, [appointment_id ?? ticket_id, hashToken(token)]))
  return runtime.url(`/${appointment_id === null ? 't' : 'a'}/${token}`)
}
