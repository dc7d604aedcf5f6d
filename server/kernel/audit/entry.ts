import type { TObject, TSchema } from 'typebox'
import type { Emitted } from '../events/log.ts'
import type { Operation, Request } from '../operation.ts'
import type { Change } from './change.ts'
import { addressPrefix, userAgentFamily } from './origin.ts'

/** A mutation as the log keeps it, without its place in the chain. */
export interface AuditEntry {
  principal: string
  role: string
  operation: string
  /** What was changed: `ticket:12`, or the tenant itself. */
  subject: string
  details: Details
  request_id: string | null
  address: string | null
  user_agent: string | null
}
interface Details {
  /** What the caller asked for, as far as it cannot be personal data. */
  given?: Record<string, unknown>
  /** Names of what else was given: free text may tell of a person. */
  withheld?: string[]
  /** Before and after, by field; a field of a person by its name alone, in `withheld`. */
  changes?: Record<string, [before: unknown, after: unknown]>
  /** State of the ticket before and after. */
  status?: [from: unknown, to: unknown]
}

interface Plan {
  noun: string
  /** Inputs whose values may be kept. */
  plain: string[]
  others: string[]
}
const plans = new WeakMap<Operation, Plan>()

/** `queue-rules` → `queue-rule` */
const singular = (noun: string) => noun.replace(/s$/, '')

function planOf(op: Operation): Plan {
  let plan = plans.get(op)
  if (!plan) {
    const properties = Object.entries((op.input as TObject).properties as Record<string, TSchema>)
    const isKept = ([name, schema]: [string, TSchema]) => name !== 'id' && isPlain(schema)
    const noun = op.http.path.startsWith('/t/{token}/') ? 'ticket' : singular(op.http.path.split('/')[1]!)
    plan = {
      noun,
      plain: properties.filter(isKept).map(([name]) => name),
      others: properties.filter((each) => each[0] !== 'id' && !isPlain(each[1])).map(([name]) => name),
    }
    plans.set(op, plan)
  }
  return plan
}

/** Numbers, truth values, times and closed vocabularies say nothing of a person; free text and objects may. */
function isPlain(schema: TSchema): boolean {
  const { type, format, anyOf, items, ...rest } = schema as {
    type?: string
    format?: string
    anyOf?: TSchema[]
    items?: TSchema
    enum?: unknown
    const?: unknown
  }
  if (anyOf) return anyOf.every(isPlain)
  if (rest.enum !== undefined || rest.const !== undefined) return true
  if (type === 'array') return items !== undefined && isPlain(items)
  if (type === 'string') return format === 'date' || format === 'date-time'
  return type === 'integer' || type === 'number' || type === 'boolean' || type === 'null'
}

/** Transitions by ticket, from the events of the same transaction. */
export function statusChanges(emitted: readonly Emitted[]): Map<number, [unknown, unknown]> {
  const changes = new Map<number, [unknown, unknown]>()
  for (const { ticket_id, data } of emitted) {
    if (ticket_id === null || ticket_id === undefined || !('to' in data)) continue
    const known = changes.get(ticket_id)
    changes.set(ticket_id, [known ? known[0] : data['from'], data['to']])
  }
  return changes
}

/** The entry of one request that succeeded. */
export function auditEntry(
  op: Operation,
  { actor, input, requestId, origin }: Request,
  output: unknown,
  statuses: ReadonlyMap<number, [unknown, unknown]>,
  change?: Change,
): AuditEntry {
  const plan = planOf(op)
  const wanted = input as Record<string, unknown>
  const answer = (output ?? {}) as { id?: unknown; ticket?: { id?: unknown } | null; user?: { id?: unknown } | null }
  const given: Record<string, unknown> = {}
  for (const name of plan.plain) if (wanted[name] !== undefined) given[name] = wanted[name]
  const changes = change && differences(change)
  const isShown = changes !== undefined && !change?.isPersonal
  const row = isShown ? { ...change?.before, ...change?.after } : {}
  const withheld = plan.others.filter((name) => wanted[name] !== undefined && !(name in row))

  const id = wanted['id'] ?? (plan.noun === 'ticket' ? (answer.id ?? actor.ticketId) : answer.id)
  let subject = typeof id === 'number' ? `${plan.noun}:${id}` : actor.tenantId === null ? '' : 'tenant'
  if (typeof answer.ticket?.id === 'number') {
    given[`${plan.noun}_id`] = id
    subject = `ticket:${answer.ticket.id}`
  } else if (op.http.base === 'root' && typeof answer.user?.id === 'number') subject = `user:${answer.user.id}`

  const status = subject.startsWith('ticket:') ? statuses.get(Number(subject.slice(7))) : undefined
  if (changes && !isShown)
    for (const name of Object.keys(changes)) if (!withheld.includes(name) && !(name in given)) withheld.push(name)
  return {
    principal: actor.principal,
    role: actor.role,
    operation: op.id,
    subject,
    details: {
      ...(isShown ? { changes } : Object.keys(given).length > 0 && { given }),
      ...(withheld.length > 0 && { withheld }),
      ...(status && { status }),
    },
    request_id: requestId ?? null,
    address: origin ? addressPrefix(origin.address) : null,
    user_agent: origin ? userAgentFamily(origin.userAgent) : null,
  }
}

/** Written with every change, so they tell nothing. */
const BOOKKEEPING = new Set(['id', 'created_at', 'updated_at'])

function differences({ before, after }: Change): Record<string, [unknown, unknown]> {
  const old = (before ?? {}) as Record<string, unknown>
  const fresh = (after ?? {}) as Record<string, unknown>
  const changes: Record<string, [unknown, unknown]> = {}
  for (const name of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const [from = null, to = null] = [old[name], fresh[name]]
    if (BOOKKEEPING.has(name) || JSON.stringify(from) === JSON.stringify(to)) continue
    changes[name] = [from, to]
  }
  return changes
}
