import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { PLATFORM_LOG } from '../../kernel/audit/index.ts'
import type { Job } from '../../kernel/jobs/index.ts'
import { operation, type Operation } from '../../kernel/operation.ts'
import { Closed, Id, Time } from '../../kernel/schema.ts'
import { isMac, mac } from './keys.ts'

/** Where a log ended at an instant, in the program's own word: whoever owns the database alone cannot make one. */
const Head = Closed({
  tenant_id: Type.Integer({ minimum: 0, description: '0 is the platform’s log' }),
  seq: Id,
  link: Type.String({ description: 'Hash of everything up to there; hexadecimal' }),
  at: Time,
  signature: Type.String({ description: 'HMAC-SHA-256 with a key derived from SECRET_KEY' }),
})
export type SignedHead = Static<typeof Head>

const PURPOSE = 'audit-head'
const textOf = ({ tenant_id, seq, link, at }: Omit<SignedHead, 'signature'>) =>
  JSON.stringify([tenant_id, seq, link, at])

/** Was this head written by this installation, with SECRET_KEY or one of its fallbacks? */
export const isSignedHead = (head: SignedHead): boolean => isMac(PURPOSE, textOf(head), head.signature)

const READ = `select seq, encode(link, 'hex') as link, now() as at from audit_heads where tenant_id = $1`

const head = operation({
  id: 'audit.head',
  kind: 'query',
  summary: 'Where the audit trail ends, signed',
  description: 'Keep it somewhere else: `smartqueue audit verify` proves later that the trail still passes through it.',
  scope: 'admin:tenant',
  roles: ['admin', 'api_key', 'system'],
  http: { method: 'GET', path: '/audit/head/' },
  input: Closed({}),
  output: Head,
  example: { input: {} },
  async run({ tx, tenant }) {
    return signed(tenant.id, await tx.one<{ seq: number; link: string; at: string }>(READ, [tenant.id]))
  },
})

function signed(tenantId: number, end: { seq: number; link: string; at: string }): SignedHead {
  const unsigned = { tenant_id: tenantId, ...end }
  return { ...unsigned, signature: mac(PURPOSE, textOf(unsigned)) }
}

let directory: string | undefined
/** Gives the process the directory that heads are written to; whoever keeps it elsewhere mounts it there. */
export function useAuditHeads(path: string): void {
  directory = path
}

export const PLATFORM_HEADS = 'platform'
/** One file a log, one line a day. */
const ENDING = '.jsonl'
const fileOf = (path: string, name: string) => join(path, name + ENDING)

/** Heads that were written for a log, oldest first. @throws SyntaxError when a line is no JSON */
export async function readHeads(path: string, name: string): Promise<SignedHead[]> {
  const text = await readFile(fileOf(path, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SignedHead)
}

/** Heads that no known key signed, there or anew: nobody can say that we wrote them. */
export function forgedOf(heads: readonly SignedHead[]): SignedHead[] {
  const known = new Set(heads.filter(isSignedHead).map(textOf))
  return heads.filter((head) => !known.has(textOf(head)))
}

/**
 * Appends to every file the heads that only former keys signed, signed with SECRET_KEY, so that the trail can be held
 * against them when those keys are given up. May run again.
 * @returns how many
 */
export async function signHeadsAnew(path: string): Promise<number> {
  const files = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  let count = 0
  for (const name of files.filter((file) => file.endsWith(ENDING)).map((file) => file.slice(0, -ENDING.length))) {
    const heads = await readHeads(path, name)
    const present = new Set(heads.map(({ signature }) => signature))
    const known = new Map(heads.filter(isSignedHead).map((head) => [textOf(head), resigned(head)]))
    const anew = [...known.values()].filter(({ signature }) => !present.has(signature))
    count += anew.length
    const lines = anew.map((head) => `${JSON.stringify(head)}\n`).join('')
    if (lines) await appendFile(fileOf(path, name), lines, { mode: 0o600 })
  }
  return count
}
const resigned = (head: SignedHead): SignedHead => ({ ...head, signature: mac(PURPOSE, textOf(head)) })

const exportHeads: Job = {
  name: 'audit.export_heads',
  schedule: '10 0 * * *',
  async run({ runtime, tenants }) {
    if (directory === undefined) throw new Error('nobody said where heads go')
    await mkdir(directory, { recursive: true })
    const logs = [{ id: PLATFORM_LOG, slug: PLATFORM_HEADS }, ...(await tenants())]
    for (const { id, slug } of logs) {
      const end = await runtime.db.platform(async (tx) => {
        await tx.query(`select set_config('app.current_tenant_id', $1, true)`, [String(id)])
        return tx.maybe<{ seq: number; link: string; at: string }>(READ, [id])
      })
      const name = id === PLATFORM_LOG ? PLATFORM_HEADS : `tenant-${slug}`
      if (end) await appendFile(fileOf(directory, name), `${JSON.stringify(signed(id, end))}\n`, { mode: 0o600 })
    }
  },
}

export const headJobs: readonly Job[] = [exportHeads]
export const headOperations: readonly Operation[] = [head]
