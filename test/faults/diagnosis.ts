import type { FaultDatabase } from './database.ts'
import type { ServerProcess } from './processes.ts'

/** What servers and database are busy with, for a run in which nothing moves any more; one line each. */
export async function diagnosis({ owner }: FaultDatabase, servers: readonly ServerProcess[]): Promise<string[]> {
  const nodes = servers.map(async (server) => {
    const ready = await fetch(`http://127.0.0.1:${server.port}/readyz`, { signal: AbortSignal.timeout(3000) }).then(
      ({ status }) => String(status),
      (error: unknown) => String(error),
    )
    return `server ${server.port}: ${server.isRunning ? 'runs' : 'is gone'}, /readyz ${ready}, ended by itself ${server.unexpectedEnds} times\n${server.output}`
  })
  const sessions = owner<{ line: string }>(
    `select concat_ws(' | ', pid, application_name, state, wait_event_type || ' ' || wait_event, 'blocked by ' || nullif(pg_blocking_pids(pid)::text, '{}'),
       round(extract(epoch from clock_timestamp() - xact_start)) || ' s', left(regexp_replace(query, '\\s+', ' ', 'g'), 120)) as line
     from pg_stat_activity where application_name like 'smartqueue%' and state <> 'idle' and pid <> pg_backend_pid()`,
  ).then(
    (rows) => rows.map(({ line }) => `session ${line}`),
    (error: unknown) => [`the database: ${String(error)}`],
  )
  return [...(await Promise.all(nodes)), ...(await sessions)]
}
