import { aTenant, type TenantFixture, type TenantShape } from '../../server/test/factories.ts'
import { startDatabase, type FaultDatabase } from '../faults/database.ts'
import { ServerProcess } from '../faults/processes.ts'
import { FaultProxy } from '../faults/proxy.ts'
import type { Run } from './run.ts'

export interface World {
  database: FaultDatabase
  fixture: TenantFixture
  server: ServerProcess
  /** Between the server and its database. */
  line: FaultProxy
  settings: Record<string, string>
}

/** A database, a server that reaches it over a line that can be harmed (unless `isDirect`), and an organisation. */
export async function inWorld<T>(
  { secretKey }: Run,
  use: (world: World) => Promise<T>,
  more: { shape?: TenantShape; environment?: Record<string, string>; directory?: string; isDirect?: boolean } = {},
): Promise<T> {
  const database = await startDatabase(more.directory)
  let line: FaultProxy | undefined
  let server: ServerProcess | undefined
  try {
    const fixture = await aTenant(database.owner, { slug: 'soak', queues: 1, counters: 4, agents: 4, ...more.shape })
    await database.owner('update queues set number_last = 9999999')
    const socket = new URL(database.url).searchParams.get('host')!
    const through = (line = await FaultProxy.open(`${socket}/.s.PGSQL.5432`))
    const url = (text: string) => {
      const one = new URL(text)
      one.searchParams.delete('host')
      one.hostname = '127.0.0.1'
      one.port = String(through.port)
      return one.href
    }
    const settings = {
      DATABASE_URL: more.isDirect ? database.url : url(database.url),
      DATABASE_DIRECT_URL: more.isDirect ? database.directUrl : url(database.directUrl),
      SECRET_KEY: secretKey,
      DATA_DIR: database.directory,
      ...more.environment,
    }
    server = await ServerProcess.start(settings, 'api,realtime')
    return await use({ database, fixture, server, line, settings })
  } finally {
    await server?.stop()
    line?.close()
    await database.close()
  }
}
