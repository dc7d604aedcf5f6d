import { buildCore } from '../../core.ts'
import type { Config } from '../../config.ts'
import { connectDirect, distributionStatements, planDistribution } from '../../kernel/db/index.ts'
import { print } from './output.ts'

/**
 * Turns the schema into tables that a Citus cluster spreads by organisation, or only says how. Answers whether everything
 * qualifies; nothing is done when it does not.
 */
export async function distribute(config: Config, { isDone }: { isDone: boolean }): Promise<boolean> {
  const core = await buildCore(config)
  const direct = await connectDirect(core.directUrl)
  try {
    const plan = await planDistribution(direct.query)
    for (const problem of plan.problems) print(`FAIL  ${problem}`)
    if (plan.problems.length > 0) return false
    const statements = distributionStatements(plan)
    if (!isDone) {
      for (const statement of statements) print(`${statement};`)
      return true
    }
    const [engine] = await direct.query<{ version: string }>(
      `select extversion as version from pg_extension where extname = 'citus'`,
    )
    if (!engine) throw new Error('this is no Citus cluster: `create extension citus` on the coordinator, or --dry-run')
    for (const statement of statements) {
      print(statement)
      await direct.query(statement)
    }
    return true
  } finally {
    await direct.close()
    await core.close()
  }
}
