import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDirect, migrate, startEmbedded, type Direct } from '../../server/kernel/db/index.ts'
import { postmasterPid } from './processes.ts'

/** A PostgreSQL of the run's own with the product's durable settings, in a new directory; it is started again when it dies. */
export interface FaultDatabase {
  directory: string
  url: string
  directUrl: string
  /** One statement as superuser, on a connection of its own: it works before and after every crash. */
  owner: Direct['query']
  /** Immediate stop (SIGQUIT): every backend dies, nothing is written any more. Resolves when it accepts connections again. */
  crash(): Promise<void>
  close(): Promise<void>
}

/** @param place where it is kept, on a disk of its own; by default among temporary files */
export async function startDatabase(place?: string): Promise<FaultDatabase> {
  const directory = place ?? mkdtempSync(join(tmpdir(), 'smartqueue-faults-'))
  // Root's PostgreSQL runs as another user, who must get in.
  chmodSync(directory, 0o755)
  const embedded = await startEmbedded({ directory: join(directory, 'postgres') })
  await migrate(embedded.directUrl)
  const owner: Direct['query'] = async (text, values) => {
    const direct = await connectDirect(embedded.directUrl)
    try {
      return await direct.query(text, values)
    } finally {
      await direct.close()
    }
  }
  return {
    directory,
    url: embedded.url,
    directUrl: embedded.directUrl,
    owner,
    async crash() {
      const data = join(directory, 'postgres/data')
      const pid = postmasterPid(data)!
      process.kill(pid, 'SIGQUIT')
      while (postmasterPid(data) === pid || !(await answers(owner))) await sleep(20)
    },
    async close() {
      await embedded.close()
      if (place === undefined) rmSync(directory, { recursive: true })
    },
  }
}

const answers = (owner: Direct['query']) =>
  owner('select 1').then(
    () => true,
    () => false,
  )

/** Settings that decide whether an acknowledged commit survives a crash; throws unless they are on. */
export async function checkDurable(owner: Direct['query']): Promise<void> {
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const [row] = await owner<Record<string, string>>(`show ${name}`)
    if (row![name] !== 'on') throw new Error(`${name} is ${row![name]}: the run would prove nothing`)
  }
}
