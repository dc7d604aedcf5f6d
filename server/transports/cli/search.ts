import { buildCore } from '../../core.ts'
import type { Config } from '../../config.ts'
import { monotonicMs } from '../../kernel/clock.ts'
import { notFound } from '../../kernel/errors.ts'
import { reindexTenant, searchServer } from '../../modules/search/index.ts'
import { print } from './output.ts'

/** Documents between two lines of progress. */
const TELL_EVERY = 10_000

/** Tells the search server all of one organisation, or of every one, and how far it is. */
export async function reindex(
  config: Config,
  options: { tenant?: string },
  tell: (line: string) => void = print,
): Promise<void> {
  const core = await buildCore(config)
  try {
    const server = searchServer()
    if (!server) throw new Error('OPENSEARCH_URL is not set: the database is searched, and needs no index of its own')
    const tenants = await core.db.platform((tx) =>
      tx.query<{ id: number; slug: string }>(
        'select id, slug from tenants where is_active and ($1::text is null or slug = $1) order by id',
        [options.tenant ?? null],
      ),
    )
    if (options.tenant !== undefined && tenants.length === 0) throw notFound()
    for (const { id, slug } of tenants) {
      const started = monotonicMs()
      const { documents, removed } = await reindexTenant(core.db, server, id, ({ kind, done }) => {
        if (done % TELL_EVERY === 0) tell(`${slug}: ${done} ${kind}s`)
      })
      const seconds = (monotonicMs() - started) / 1000
      tell(`${slug}: ${documents} documents in ${seconds.toFixed(1)} s, ${removed} removed`)
    }
  } finally {
    await core.close()
  }
}
