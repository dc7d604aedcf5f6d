import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildCore, type Core } from '../../../core.ts'
import type { Config } from '../../../config.ts'
import { systemActor } from '../../../kernel/access.ts'
import { PLATFORM_LOG, verifyAudit } from '../../../kernel/audit/index.ts'
import { connectDirect, load, startEmbedded, type Direct, type Manifest } from '../../../kernel/db/index.ts'
import { AppError } from '../../../kernel/errors.ts'
import type { Operation, Tenant } from '../../../kernel/operation.ts'
import { operations } from '../../../modules/index.ts'

export interface Verdict {
  tables: number
  rows: number
  /** Tables whose rows are not as many as the manifest says. */
  differing: string[]
  auditLogs: number
  auditEntries: number
  /** Logs whose chain does not hold. */
  brokenLogs: string[]
  answers: number
  /** Reads that ended in a failure of the program. */
  failures: string[]
}

/**
 * Restores a logical backup into a PostgreSQL of its own, looks at everything, and removes it.
 * @param scratchUrl a superuser's of a server to make a database on instead, where the program brings none
 */
export async function verifyBackup(directory: string, config: Config, scratchUrl?: string): Promise<Verdict> {
  const scratch = mkdtempSync(join(tmpdir(), 'smartqueue-verify-'))
  try {
    const server =
      scratchUrl === undefined
        ? await startEmbedded({ directory: join(scratch, 'postgresql'), durable: false })
        : await makeDatabase(scratchUrl)
    try {
      const { manifest } = await load(server.directUrl, directory)
      return await inspect(server, { ...config, dataDir: scratch }, manifest)
    } finally {
      await server.close()
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function makeDatabase(serverUrl: string) {
  const server = await connectDirect(serverUrl)
  const name = `smartqueue_verify_${randomBytes(6).toString('hex')}`
  await server.query(`create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    directUrl: url.href,
    async close() {
      await server.query(`drop database ${name} with (force)`)
      await server.close()
    },
  }
}

/** Rows, audit chains and answers of the program on a database. Nothing is sent and nothing kept elsewhere. */
export async function inspect(
  { url, directUrl }: { url: string; directUrl: string },
  config: Config,
  manifest: Manifest,
): Promise<Verdict> {
  const direct = await connectDirect(directUrl)
  const core = await buildCore({
    ...config,
    databaseUrl: url,
    databaseDirectUrl: directUrl,
    databaseReplicaUrl: undefined,
    redisUrl: undefined,
    s3: undefined,
    rateLimitFactor: 1_000_000,
  })
  try {
    const tenants = await tenantsOf(direct)
    const counted = await countRows(direct, manifest)
    const audit = await auditOf(direct, tenants)
    const answers = await answersOf(core, tenants)
    return { ...counted, ...audit, answers: answers.size, failures: failuresOf(answers) }
  } finally {
    await core.close()
    await direct.close()
  }
}

async function countRows(
  { query }: Direct,
  { tables }: Manifest,
): Promise<Pick<Verdict, 'tables' | 'rows' | 'differing'>> {
  const differing: string[] = []
  let total = 0
  for (const { schema, name, rows } of tables) {
    const [found] = await query<{ count: number }>(`select count(*) as count from "${schema}"."${name}"`)
    total += found!.count
    if (found!.count !== rows) differing.push(`${schema}.${name}: ${found!.count} of ${rows}`)
  }
  return { tables: tables.length, rows: total, differing }
}

const tenantsOf = ({ query }: Direct): Promise<Tenant[]> =>
  query<Tenant>('select id, slug, name, locale, timezone, is_active, take_challenge from tenants order by id')

async function auditOf({ query }: Direct, tenants: readonly Tenant[]) {
  const brokenLogs: string[] = []
  let auditEntries = 0
  for (const { id, slug } of [{ id: PLATFORM_LOG, slug: '(platform)' }, ...tenants]) {
    const { entries, problems } = await verifyAudit(query, id)
    auditEntries += entries
    if (problems.length > 0) brokenLogs.push(slug)
  }
  return { auditLogs: tenants.length + 1, auditEntries, brokenLogs }
}

/** Reads that need no more than an organisation; the program itself may ask them. */
const isPlainRead = ({ kind, input, http, roles }: Operation): boolean =>
  kind === 'query' &&
  http.base !== 'root' &&
  roles.includes('system') &&
  ((input as { required?: string[] }).required ?? []).length === 0

/** What the program answers to every such read of each organisation: the body, or the code of its refusal. */
async function answersOf(core: Core, tenants: readonly Tenant[]): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  for (const tenant of tenants)
    for (const op of operations.filter(isPlainRead))
      answers.set(`${tenant.slug} ${op.id}`, await answerOf(core, tenant, op))
  return answers
}

async function answerOf({ runtime }: Core, tenant: Tenant, op: Operation): Promise<string> {
  try {
    const { body } = await runtime.execute(op, {
      actor: systemActor(tenant.id),
      tenant,
      locale: tenant.locale,
      input: {},
    })
    return body
  } catch (error) {
    return error instanceof AppError && error.kind !== 'internal'
      ? `refused: ${error.code}`
      : `failed: ${String(error)}`
  }
}

const failuresOf = (answers: ReadonlyMap<string, string>): string[] =>
  [...answers].filter(([, answer]) => answer.startsWith('failed: ')).map(([name, answer]) => `${name}: ${answer}`)
