import type { Runtime } from '../../../kernel/execute.ts'
import { hashToken } from '../../../kernel/ids.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import { mac } from '../../authentication/index.ts'

const SECRET_LENGTH = 26

/**
 * The ticket's page, by a further secret that follows from the message: every attempt sends the same text, and only the
 * secret's hash is stored.
 */
export async function ticketLink(
  runtime: Runtime,
  tenant: Tenant,
  messageId: number,
  ticketId: number,
): Promise<string> {
  const bits = BigInt(`0x${Buffer.from(mac('message link', `${tenant.id}:${messageId}`), 'base64url').toString('hex')}`)
  const token = `${tenant.id.toString(36)}-${bits.toString(36).padStart(SECRET_LENGTH, '0').slice(-SECRET_LENGTH)}`
  await runtime.db.tenant(tenant.id, (tx) =>
    tx.query('insert into ticket_links (ticket_id, token_hash) values ($1, $2) on conflict do nothing', [
      ticketId,
      hashToken(token),
    ]),
  )
  return runtime.url(`/t/${token}`)
}
