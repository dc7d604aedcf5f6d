import { join } from 'node:path'
import { buildCore } from '../../core.ts'
import type { Config } from '../../config.ts'
import { PLATFORM_LOG, verifyAudit } from '../../kernel/audit/index.ts'
import { connectDirect } from '../../kernel/db/index.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import { forgedOf, isSignedHead, PLATFORM_HEADS, readHeads } from '../../modules/authentication/index.ts'
import { print } from './output.ts'

/** Verifies the trail of one organisation, or of all and the platform; tells each end, and answers whether all hold. */
export async function verifyTrail(
  config: Config,
  options: { tenant?: string; anchor?: string; heads?: string },
  tell: (line: string) => void = print,
): Promise<boolean> {
  const anchor = options.anchor === undefined ? undefined : anchorOf(options.anchor)
  if (anchor && options.tenant === undefined) throw new AppError('invalid_input', 'tenant_required')
  const directory = options.heads ?? join(config.dataDir, 'audit-heads')
  const core = await buildCore(config)
  const direct = await connectDirect(core.directUrl)
  try {
    // Whoever verifies may be a mere reader of all tenants; inside, each log is read behind its own wall.
    const tenants = await direct.query<{ id: number; slug: string }>(
      'select id, slug from tenants where $1::text is null or slug = $1 order by id',
      [options.tenant ?? null],
    )
    if (options.tenant !== undefined && tenants.length === 0) throw notFound()
    const logs = options.tenant === undefined ? [{ id: PLATFORM_LOG, slug: '(platform)' }, ...tenants] : tenants
    let holds = true
    for (const { id, slug } of logs) {
      await direct.query(`select set_config('app.current_tenant_id', $1, false)`, [String(id)])
      const exported = await readHeads(directory, id === PLATFORM_LOG ? PLATFORM_HEADS : `tenant-${slug}`)
      const forged = [...new Set([...exported.filter((each) => each.tenant_id !== id), ...forgedOf(exported)])]
      const heads = exported.filter((each) => isSignedHead(each) && !forged.includes(each))
      const anchors = [...(anchor ? [anchor] : []), ...heads]
      const { entries, head, problems: found } = await verifyAudit(direct.query, id, ...anchors)
      const problems = [...found, ...forged.map(({ seq }) => ({ seq, problem: 'forged_head' }))]
      holds &&= problems.length === 0
      const checked = exported.length ? `, passes through ${anchors.length} exported heads` : ''
      const end = head ? `${entries} rows, head ${head.seq}:${head.link}${problems.length ? '' : checked}` : 'empty'
      tell(`${problems.length === 0 ? 'ok  ' : 'FAIL'}  ${slug}: ${end}`)
      for (const { seq, problem } of problems) tell(`        row ${seq}: ${problem}`)
    }
    return holds
  } finally {
    await direct.close()
    await core.close()
  }
}

function anchorOf(text: string): { seq: number; link: string } {
  const [, seq, link] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (!seq || !link)
    throw new AppError('invalid_input', 'invalid_input', { fields: [{ path: '/anchor', code: 'format' }] })
  return { seq: Number(seq), link }
}
