import { cpus, totalmem } from 'node:os'
import type { Direct } from '../server/kernel/db/direct.ts'

/** Where a result was measured; rates of two machines cannot be compared, ratios can. */
export interface Machine {
  at: string
  processor: string
  cores: number
  memoryGiB: number
  node: string
  postgres: string
  /** Settings that speed and safety depend on. */
  settings: Record<string, string>
}

const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size', 'jit']

export async function describeMachine(db: Direct): Promise<Machine> {
  const [row] = await db.query<{ at: string; version: string; settings: Record<string, string> }>(
    `select now() as at, current_setting('server_version') as version,
       (select json_object_agg(name, current_setting(name) order by name) from unnest($1::text[]) name) as settings`,
    [SETTINGS],
  )
  return {
    at: row!.at,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres: row!.version,
    settings: row!.settings,
  }
}
