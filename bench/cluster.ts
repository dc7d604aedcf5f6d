import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDirect, type Direct } from '../server/kernel/db/direct.ts'
import { startEmbedded } from '../server/kernel/db/embedded/index.ts'
import { migrate } from '../server/kernel/db/migrate.ts'

/** A PostgreSQL server of the benchmark's own: the product's, with the product's durable settings, in a new directory. */
export interface Cluster {
  directory: string
  /** As the product connects. */
  url: string
  /** Superuser. */
  direct: Direct
  directUrl: string
  /** For pgbench: the same socket as the product's. */
  host: string
  port: number
  database: string
  postmaster: number
  close(): Promise<void>
}

/** Starts and migrates; also makes the login `bench`, which acts as sq_app as the product's does. */
export async function startCluster(parent = tmpdir()): Promise<Cluster> {
  const directory = mkdtempSync(join(parent, 'smartqueue-bench-'))
  // Root's PostgreSQL runs as another user, who must get in.
  chmodSync(directory, 0o755)
  const embedded = await startEmbedded({ directory: join(directory, 'postgres') })
  await migrate(embedded.directUrl)
  const direct = await connectDirect(embedded.directUrl)
  await direct.query(`
    create role bench login in role sq_app;
    alter role bench set role = 'sq_app';
    create schema bench;
    grant usage on schema bench to sq_app`)
  const address = new URL(embedded.directUrl)
  return {
    directory,
    url: embedded.url,
    direct,
    directUrl: embedded.directUrl,
    host: address.searchParams.get('host') ?? address.hostname,
    port: Number(address.port),
    database: address.pathname.slice(1),
    postmaster: Number(readFileSync(join(directory, 'postgres/data/postmaster.pid'), 'utf8').split('\n', 1)[0]),
    async close() {
      await direct.close()
      await embedded.close()
      rmSync(directory, { recursive: true })
    },
  }
}
