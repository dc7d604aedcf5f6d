import { createHash } from 'node:crypto'
import type { Statement, Tx } from './db/types.ts'
import { AppError, conflict } from './errors.ts'
import type { Operation } from './operation.ts'

/** A caller's Idempotency-Key with everything that makes it his own. */
export interface KeyClaim {
  principal: string
  operation: string
  key: string
  /** Hash of the input: the same key with another payload is refused. */
  fingerprint: string
}
/** Keys of tenants are behind their walls; those of work outside tenants have a table of their own. */
type KeyTable = 'idempotency_keys' | 'platform_idempotency_keys'

/**
 * Is the answer kept under the key? Not that of what works outside a transaction, which opens doors, nor one that is a
 * secret: nothing that opens a door is stored. Asked again, they do their work again.
 */
export const keepsAnswer = (op: Operation): boolean => op.transaction !== false && !op.answersSecret

/** The answer a key already has. */
export interface StoredAnswer {
  status: number
  body: string
}
export type ClaimResult =
  | { state: 'fresh' }
  | { state: 'replay'; answer: StoredAnswer }
  | { state: 'refused'; error: AppError }

export function fingerprint(input: unknown): string {
  return createHash('sha256').update(JSON.stringify(input)).digest('base64url').slice(0, 22)
}

/**
 * Claims keys inside the transaction of their work (IETF draft-ietf-httpapi-idempotency-key-header: replay, 409 in
 * flight, 422 for another payload). The advisory lock lives as long as the transaction: a second request with the key
 * neither waits nor runs, it is told that the first is in flight.
 */
const claimIn = (table: KeyTable) => `
  with wanted as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as w(principal, operation, key, fingerprint, n)),
  claimed as (
    insert into ${table} (principal, operation, key, fingerprint)
    select principal, operation, key, fingerprint from wanted
    where pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), app.tenant_id(), principal, operation, key), 0))
    order by n
    on conflict do nothing
    returning principal, operation, key)
  select w.n::int, c.key is not null as fresh, k.fingerprint, k.status, k.body
  from wanted w
  left join claimed c using (principal, operation, key)
  left join ${table} k using (principal, operation, key)
  order by w.n`

const CLAIMS = {
  idempotency_keys: claimIn('idempotency_keys'),
  platform_idempotency_keys: claimIn('platform_idempotency_keys'),
}

export async function claimKeys(
  tx: Tx,
  claims: readonly KeyClaim[],
  table: KeyTable = 'idempotency_keys',
): Promise<ClaimResult[]> {
  const rows = await tx.query<{
    fresh: boolean
    fingerprint: string | null
    status: number | null
    body: string | null
  }>(CLAIMS[table], [
    claims.map((claim) => claim.principal),
    claims.map((claim) => claim.operation),
    claims.map((claim) => claim.key),
    claims.map((claim) => claim.fingerprint),
  ])
  const seen = new Set<string>()
  return rows.map((row, i) => {
    const claim = claims[i]!
    const identity = `${claim.principal}\u001f${claim.operation}\u001f${claim.key}`
    if (row.fresh && !seen.has(identity)) {
      seen.add(identity)
      return { state: 'fresh' }
    }
    if (row.status === null || row.fresh) return { state: 'refused', error: conflict('idempotency_in_flight') }
    if (row.fingerprint !== claim.fingerprint)
      return { state: 'refused', error: new AppError('unprocessable', 'idempotency_mismatch') }
    return { state: 'replay', answer: { status: row.status, body: row.body! } }
  })
}

/** The statement that stores the answers of claimed keys, sent with the commit. */
export function storeAnswers(
  answers: readonly (KeyClaim & StoredAnswer)[],
  table: KeyTable = 'idempotency_keys',
): Statement {
  return {
    text: `update ${table} k set status = a.status, body = a.body
           from unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[]) as a(principal, operation, key, status, body)
           where k.principal = a.principal and k.operation = a.operation and k.key = a.key`,
    values: [
      answers.map((answer) => answer.principal),
      answers.map((answer) => answer.operation),
      answers.map((answer) => answer.key),
      answers.map((answer) => answer.status),
      answers.map((answer) => answer.body),
    ],
  }
}

/** Remembers the refusal of work that was rolled back, so that a repeated key gets the same refusal. */
export async function rememberRefusal(
  tx: Tx,
  claim: KeyClaim,
  answer: StoredAnswer,
  table: KeyTable = 'idempotency_keys',
): Promise<void> {
  await tx.query(
    `insert into ${table} (principal, operation, key, fingerprint, status, body)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [claim.principal, claim.operation, claim.key, claim.fingerprint, answer.status, answer.body],
  )
}
