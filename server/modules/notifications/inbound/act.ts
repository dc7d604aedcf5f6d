import { systemActor, type Actor } from '../../../kernel/access.ts'
import { AppError } from '../../../kernel/errors.ts'
import type { Runtime } from '../../../kernel/execute.ts'
import type { Tenant } from '../../../kernel/operation.ts'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { operations } from '../../tickets/index.ts'

/** Time that "late" asks for. */
const LATE_MINUTES = 10
/** Stands among a ticket's labels, where staff see it. */
const STILL_COMING = 'still_coming'

interface Answer {
  kind: 'late' | 'coming' | 'cancel'
  ticket_id: number
  status: TicketStatus
  labels: string[]
}
const ANSWER = `
  select m.kind, m.ticket_id, t.status, t.labels from messages m
  join tickets t on t.tenant_id = m.tenant_id and t.id = m.ticket_id where m.id = $1`

/**
 * Does what an answer asks for, as the visitor could on the ticket's page. Its key makes a second run repeat the first
 * one's answer; what is not possible any more changes nothing, and the counter reads the message anyway.
 */
export async function act(runtime: Runtime, tenant: Tenant, messageId: number): Promise<void> {
  const answer = await runtime.db.reader(tenant.id).maybe<Answer>(ANSWER, [messageId])
  if (!answer) return
  const { ticket_id: id, kind, status, labels } = answer
  const visitor: Actor = {
    ...systemActor(tenant.id),
    role: 'visitor',
    principal: `visitor:${id}`,
    scopes: new Set(),
    ticketId: id,
  }
  const isCalled = status === TicketStatus.called
  const [operation, actor, input] =
    kind === 'cancel'
      ? (['tickets.leave', visitor, {}] as const)
      : isCalled
        ? (['tickets.reply', visitor, { reply: kind === 'late' ? 'needs_time' : 'on_my_way' }] as const)
        : kind === 'late'
          ? (['tickets.postpone', visitor, { minutes: LATE_MINUTES }] as const)
          : ([
              'tickets.update',
              systemActor(tenant.id),
              { id, labels: [...new Set([...labels, STILL_COMING])] },
            ] as const)
  const op = operations.find((one) => one.id === operation)!
  try {
    await runtime.execute(op, { actor, tenant, locale: tenant.locale, input, key: `message-${messageId}` })
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
  }
}
