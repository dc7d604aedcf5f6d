import pg from 'pg'
import { AppError } from '../errors.ts'
import type { DatabaseError } from './types.ts'

/** SQLSTATE and constraint of a PostgreSQL error, or undefined for any other error. */
export function databaseError(error: unknown): DatabaseError | undefined {
  if (error instanceof AppError) return databaseError(error.cause)
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined
  return { code: error.code, constraint: error.constraint }
}

/** The connection died with the statement in flight: nothing says whether it was carried out. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super('connection to PostgreSQL lost', { cause })
    this.name = 'ConnectionLost'
  }
}

/** The server is going away, or has ended this session; every later use of the connection fails. */
export function endsSession(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(57P0[1-5]|25P03|08...)$/.test(error.code ?? '')
}

/**
 * Text of a statement whose plan or name the server no longer has (its result changed shape in a migration, or a pooler
 * gave us another session): with the name forgotten it can run again.
 */
export function staleStatement(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined
  const stale = error.code === '26000' || (error.code === '0A000' && error.routine === 'RevalidateCachedQuery')
  return stale ? (error as { statement?: string }).statement : undefined
}

/** Serialization failure or deadlock: PostgreSQL undid everything and asks to be tried again. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01')
}

/**
 * What callers may see. Timeouts, exhaustion and lost connections become `unavailable` with the cause kept for the log;
 * constraint violations and the like pass through for the operation to name.
 */
export function asAppError(error: unknown): unknown {
  if (error instanceof ConnectionLost) return unavailable('database_unavailable', error)
  // 57014 statement_timeout, 55P03 lock_timeout, 53... out of memory, disk or connections
  const { code = '' } = error instanceof pg.DatabaseError ? error : {}
  if (/^(57014|55P03|53...)$/.test(code)) return unavailable('database_busy', error)
  return error
}

export function unavailable(code: 'database_busy' | 'database_unavailable', cause?: unknown): AppError {
  return new AppError('unavailable', code, { cause, retryAfterSeconds: 1 })
}
