import { createHash } from 'node:crypto'
import type { AuditEntry } from './entry.ts'
import { digestOf } from './log.ts'

/** A row of the log as it is read for verification. */
interface StoredEntry extends AuditEntry {
  seq: number
  /** Microseconds since 1970, as text. */
  micros: string
  link: Buffer | null
}
interface AuditProblem {
  /** Place in the log at which it shows. */
  seq: number
  problem: 'missing' | 'altered' | 'unlinked' | 'tail_cut' | 'beyond_head' | 'head_altered' | 'no_head' | 'anchor'
}
export interface AuditVerdict {
  entries: number
  /** Where the chain ends; put it somewhere else, and later verify against it. */
  head: { seq: number; link: string } | null
  problems: AuditProblem[]
}
interface Anchor {
  seq: number
  link: string
}
type Query = <Row>(text: string, values: readonly unknown[]) => Promise<Row[]>

const PAGE = 2000
/** After the first of them everything else follows. */
const MAX_PROBLEMS = 20

/**
 * Reads a tenant's log from its beginning and computes every link again. Anchors are earlier heads: the chain must
 * still pass through them, which proves that it was not written anew.
 */
export async function verifyAudit(
  query: Query,
  tenantId: number,
  ...anchors: readonly Anchor[]
): Promise<AuditVerdict> {
  const [head] = await query<{ seq: number; link: Buffer }>('select seq, link from audit_heads where tenant_id = $1', [
    tenantId,
  ])
  const chain = new Chain(tenantId, anchors)
  for (let after: number | undefined = -1; after !== undefined && !chain.isHopeless;) {
    const rows: StoredEntry[] = await query<StoredEntry>(READ, [tenantId, after])
    for (const row of rows) chain.add(row)
    after = rows.length === PAGE ? rows.at(-1)!.seq : undefined
  }
  return chain.end(head)
}

const READ = `
  select seq, (extract(epoch from at) * 1000000)::bigint::text as micros, principal, role, operation, subject, details,
    request_id, address, user_agent, link
  from audit_entries where tenant_id = $1 and seq > $2 order by seq limit ${PAGE}`

class Chain {
  readonly problems: AuditProblem[] = []
  #tenantId: number
  /** Links by the place they must stand at; `null` where two anchors disagree. */
  #anchors: Map<number, string | null>
  #link: Buffer = Buffer.alloc(0)
  #seq = 0
  #entries = 0
  #open: StoredEntry[] = []

  constructor(tenantId: number, anchors: readonly Anchor[]) {
    this.#tenantId = tenantId
    this.#anchors = new Map()
    for (const { seq, link } of anchors) {
      const known = this.#anchors.get(seq)
      this.#anchors.set(seq, known === undefined || known === link ? link : null)
    }
  }

  get isHopeless(): boolean {
    return this.problems.length >= MAX_PROBLEMS
  }

  add(row: StoredEntry): void {
    if (row.seq !== this.#seq + 1) this.#report(this.#seq + 1, 'missing')
    this.#seq = row.seq
    this.#entries++
    this.#open.push(row)
    if (row.link) this.#close(row.link)
  }

  /** The end of a transaction: its link must follow from what stands before it. */
  #close(link: Buffer): void {
    const rows = this.#open
    this.#open = []
    const last = rows.at(-1)!
    const sameInstant = rows.every(({ micros }) => micros === last.micros)
    if (!sameInstant || !linkOf(this.#tenantId, this.#link, rows).equals(link)) this.#report(last.seq, 'altered')
    this.#link = link
    const anchor = this.#anchors.get(last.seq)
    this.#anchors.delete(last.seq)
    if (anchor !== undefined && anchor !== link.toString('hex')) this.#report(last.seq, 'anchor')
  }

  end(head: { seq: number; link: Buffer } | undefined): AuditVerdict {
    if (this.#open.length) this.#report(this.#seq, 'unlinked')
    if (!head && this.#entries > 0) this.#report(this.#seq, 'no_head')
    if (head) {
      if (head.seq > this.#seq) this.#report(this.#seq + 1, 'tail_cut')
      else if (head.seq < this.#seq) this.#report(head.seq + 1, 'beyond_head')
      else if (!head.link.equals(this.#link)) this.#report(head.seq, 'head_altered')
    }
    // What was an end of the log once must still be the end of a transaction.
    if (!this.isHopeless) for (const seq of this.#anchors.keys()) this.#report(seq, 'anchor')
    return {
      entries: this.#entries,
      head: head ? { seq: head.seq, link: head.link.toString('hex') } : null,
      problems: this.problems,
    }
  }

  #report(seq: number, problem: AuditProblem['problem']): void {
    this.problems.push({ seq, problem })
  }
}

function linkOf(tenantId: number, previous: Buffer, rows: readonly StoredEntry[]): Buffer {
  const numbers = Buffer.alloc(32)
  numbers.writeBigInt64BE(BigInt(tenantId), 0)
  numbers.writeBigInt64BE(BigInt(rows[0]!.seq), 8)
  numbers.writeBigInt64BE(BigInt(rows.at(-1)!.seq), 16)
  numbers.writeBigInt64BE(BigInt(rows[0]!.micros), 24)
  const entries = rows.map(({ seq: _seq, micros: _micros, link: _link, ...entry }): AuditEntry => entry)
  return createHash('sha256').update(previous).update(digestOf(entries)).update(numbers).digest()
}
