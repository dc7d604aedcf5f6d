import { createHash } from 'node:crypto'
import type { Statement } from '../db/types.ts'
import { canonicalJson } from './canonical.ts'
import type { AuditEntry } from './entry.ts'

/** The log of what happens outside tenants. */
export const PLATFORM_LOG = 0

/** SHA-256 over the canonical JSON of the rows of one transaction, in order. */
export function digestOf(entries: readonly AuditEntry[]): Buffer {
  return createHash('sha256').update(canonicalJson(entries)).digest()
}

/** The one statement that appends the rows of a transaction. It locks the end of the tenant's chain: send it last. */
export function appendAudit(tenantId: number, entries: readonly AuditEntry[]): Statement {
  const rows = entries.map((entry, i) => ({ n: i + 1, ...entry }))
  return {
    text: 'select app.append_audit($1, $2::jsonb, $3)',
    values: [tenantId, JSON.stringify(rows), digestOf(entries)],
  }
}
