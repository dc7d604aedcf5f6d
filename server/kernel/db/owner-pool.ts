import pg from 'pg'

/**
 * Connections that act as the owner of the schema, for the job library, which brings its own statements and its own
 * wall around its tables. No statement of a tenant goes this way.
 * @param url a direct connection: a pooler would refuse the start-up option
 */
export function ownerPool(url: string, size: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
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
