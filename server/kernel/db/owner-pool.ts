import pg from 'pg'
import { Hosts } from './hosts.ts'

/**
 * Connections that act as the owner of the schema, for the job library, which brings its own statements and its own
 * wall around its tables. No statement of a tenant goes this way.
 * @param url a direct connection: a pooler would refuse the start-up option
 */
export function ownerPool(url: string, size: number): pg.Pool {
  const hosts = Hosts.of(url)
  /** Made for each connection: the server that takes writes may be another one by then. */
  class Client extends pg.Client {
    constructor(config: pg.ClientConfig) {
      const connectionString = hosts.current(url)
      super({ ...config, connectionString })
      this.connection.once('error', () => hosts.failed(connectionString))
    }
  }
  const pool = new pg.Pool({
    connectionString: hosts.current(url),
    // Its type forgets that the pool hands its own options over.
    Client: Client as unknown as new () => pg.ClientBase,
    max: size,
    application_name: 'smartqueue jobs',
    options: '-c role=sq_owner',
  })
  // A lost connection shows as the failure of the next statement, also of one that is lent: unheard, it would end the
  // process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
