import { buildCore, type Core } from '../../core.ts'
import type { Config } from '../../config.ts'
import { notFound } from '../../kernel/errors.ts'
import { fileOf, filesOf, readLines, restoreArchive } from '../../modules/archive/index.ts'
import { print, table } from './output.ts'

async function ofTenant(config: Config, slug: string, work: (core: Core, tenantId: number) => Promise<void>) {
  const core = await buildCore(config)
  try {
    const tenant = await core.db.platform((tx) =>
      tx.maybe<{ id: number }>('select id from tenants where slug = $1', [slug]),
    )
    if (!tenant) throw notFound()
    await work(core, tenant.id)
  } finally {
    await core.close()
  }
}

export const listArchive = (config: Config, slug: string): Promise<void> =>
  ofTenant(config, slug, async ({ db }, id) => {
    const files = await filesOf(db.reader(id))
    const rows = files.map(({ name, row_count, bytes, archived_at, kept_until }) => [
      name,
      String(row_count),
      String(bytes),
      archived_at,
      kept_until ?? '',
    ])
    print(table([['name', 'rows', 'bytes', 'archived', 'back until'], ...rows]))
  })

/** Reads it twice: nothing is printed of a file that is not the one that was written. */
export const readArchive = (config: Config, slug: string, name: string): Promise<void> =>
  ofTenant(config, slug, async ({ db }, id) => {
    const file = await fileOf(db.reader(id), name)
    for await (const _ of readLines(id, file));
    for await (const line of readLines(id, file)) print(line)
  })

export const bringBack = (config: Config, slug: string, name: string): Promise<void> =>
  ofTenant(config, slug, async ({ db }, id) =>
    print(`${await restoreArchive(db, id, name)} rows of ${name} are back for 30 days`),
  )
