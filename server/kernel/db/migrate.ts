import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { connectClient } from './hosts.ts'
import { ownerPool } from './owner-pool.ts'
import { ensureRoles } from './roles.ts'

/** expand: old code still runs · contract: removes what old code used · breaking: needs a stop */
const KINDS = ['expand', 'contract', 'breaking'] as const
const LOCK = `hashtext('smartqueue.migrate')`
const LOCK_TIMEOUT_ATTEMPTS = 30

interface Migration {
  version: number
  name: string
  kind: string
  checksum: string
  sql: string
}
type Applied = Omit<Migration, 'sql'>

export const MIGRATIONS = new URL('../../../db/migrations/', import.meta.url)

/**
 * Brings a database up to date with the files of `db/migrations`, forward only, each file in one transaction as
 * `sq_owner`. Any number of processes may call it at once. A file waits two seconds for its locks and then lets the
 * others pass, so that a migration never makes the counters wait behind a slow report.
 * @param url a direct connection of a superuser, or of a database owner that may create roles
 * @param through the last version to be applied: a backup is restored into the schema that it was taken of
 * @returns names of the files applied now
 * @throws when a file is misnamed or was changed after it was applied, or the database is newer than this program
 */
export async function migrate(url: string, directory = MIGRATIONS, through = Infinity): Promise<string[]> {
  const migrations = await readMigrations(directory)
  const client = await connectClient(url, { application_name: 'smartqueue migrate' })
  try {
    await client.query('set statement_timeout = 0')
    await ensureRoles(client)
    // Held by the session: an end of any kind gives it back.
    await client.query(`select pg_advisory_lock(${LOCK})`)
    await prepare(client)
    const { rows } = await client.query<Applied>('select version, name, kind, checksum from schema_migrations')
    const pending = pendingOf(migrations, rows).filter(({ version }) => version <= through)
    for (const migration of pending) await apply(client, migration)
    await migrateJobs(url)
    return pending.map(({ name }) => name)
  } finally {
    await client.end()
  }
}

async function readMigrations(directory: URL): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).toSorted()
  const migrations = await Promise.all(
    files.map(async (file): Promise<Migration> => {
      const sql = await readFile(new URL(file, directory), 'utf8')
      const [, version, name] = /^(\d{6})_([a-z0-9_]+)\.sql$/.exec(file) ?? []
      const kind = KINDS.find((word) => sql.startsWith(`-- ${word}\n`))
      if (!version || !name) throw new Error(`${file}: a migration is called NNNNNN_name.sql`)
      if (!kind)
        throw new Error(`${file}: the first line must be one of ${KINDS.map((word) => `-- ${word}`).join(', ')}`)
      return { version: Number(version), name, kind, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
  for (const [i, { version }] of migrations.entries())
    if (version === migrations[i + 1]?.version)
      throw new Error(`two migrations have the number ${version}: renumber one`)
  return migrations
}

/** Settings of the database, and what `sq_owner` needs to build in it. */
async function prepare(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string; ready: boolean }>(
    `select quote_ident(current_database()) as name, has_database_privilege('sq_owner', current_database(), 'create')
       and has_schema_privilege('sq_owner', 'public', 'create') and to_regclass('public.schema_migrations') is not null as ready`,
  )
  const { name, ready } = rows[0]!
  if (ready) return
  await client.query(`
    begin;
    grant create, connect on database ${name} to sq_owner;
    grant usage, create on schema public to sq_owner;
    revoke create on schema public from public;
    set local role sq_owner;
    create table if not exists schema_migrations (
      version integer primary key,
      name text not null,
      kind text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    commit;`)
  for (const setting of [`timezone = 'UTC'`, 'jit = off']) {
    // Not ours to change on some hosted servers, and only a matter of speed: the kernel converts any time zone.
    await client.query(`alter database ${name} set ${setting}`).catch(ignore('42501'))
  }
}

function pendingOf(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.version, migration]))
  const last = Math.max(0, ...applied.map(({ version }) => version))
  for (const { version, name, kind, checksum } of applied) {
    const file = known.get(version)
    if (file && file.checksum !== checksum)
      throw new Error(`migration ${version} (${name}) was changed after it was applied`)
    if (!file && kind !== 'expand')
      throw new Error(`the database is newer than this program: migration ${version} (${name})`)
  }
  const done = new Set(applied.map(({ version }) => version))
  const pending = migrations.filter(({ version }) => !done.has(version))
  const late = pending.find(({ version }) => version < last)
  if (late)
    throw new Error(`migration ${late.version} (${late.name}) comes before ${last}, which is applied: renumber it`)
  return pending
}

/** By which `app.enqueue_job` lets organisations take turns. */
const JOBS_BY_TENANT = `
  create index if not exists smartqueue_jobs_by_tenant on graphile_worker._private_jobs ((payload ->> 'tenant_id'))`

/** The job library waits e^attempts seconds; here give or take a quarter, so that what failed together does not return together. */
const JITTERED_RETRIES = `
  create or replace function graphile_worker.smartqueue_jitter() returns trigger language plpgsql as $$
  begin
    new.run_at := new.run_at + (new.run_at - greatest(now(), old.run_at)) * (random() * 0.5 - 0.25);
    return new;
  end $$;
  do $$ begin
    if not exists (select from pg_trigger where tgname = 'smartqueue_jitter') then
      create trigger smartqueue_jitter before update on graphile_worker._private_jobs for each row
        when (old.locked_by is not null and new.locked_by is null and new.last_error is not null and new.run_at > old.run_at)
        execute function graphile_worker.smartqueue_jitter();
    end if;
  end $$`

/** Whoever takes backups reads everything, also what others made: a table that was forgotten would be missing one day. */
const BACKUP_RIGHTS = `
  do $$ begin
    if exists (select from pg_class c where c.relnamespace::regnamespace::text in ('public', 'graphile_worker')
      and (c.relkind in ('r', 'p') and not has_table_privilege('sq_backup', c.oid, 'select')
        or c.relkind = 'S' and not has_sequence_privilege('sq_backup', c.oid, 'select'))) then
      grant usage on schema graphile_worker, public to sq_backup;
      grant select on all tables in schema graphile_worker, public to sq_backup;
      grant select on all sequences in schema graphile_worker, public to sq_backup;
    end if;
  end $$`

/** The job library's own tables, owned by `sq_owner` like ours, so that `app.enqueue_job` may write to them. */
async function migrateJobs(url: string): Promise<void> {
  const { Logger, runMigrations } = await import('graphile-worker')
  const pool = ownerPool(url, 1)
  try {
    await runMigrations({ pgPool: pool, logger: new Logger(() => () => {}) })
    await pool.query(JOBS_BY_TENANT)
    await pool.query(JITTERED_RETRIES)
    await pool.query(BACKUP_RIGHTS)
  } finally {
    await pool.end()
  }
}

async function apply(client: pg.Client, { version, name, kind, checksum, sql }: Migration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(`begin; set local role sq_owner; set local lock_timeout = '2s'`)
      await client.query(sql)
      await client.query('insert into schema_migrations (version, name, kind, checksum) values ($1, $2, $3, $4)', [
        version,
        name,
        kind,
        checksum,
      ])
      await client.query('commit')
      return
    } catch (error) {
      await client.query('rollback').catch(() => {})
      const locked = error instanceof pg.DatabaseError && error.code === '55P03'
      if (!locked || attempt === LOCK_TIMEOUT_ATTEMPTS)
        throw new Error(`migration ${version} (${name}) failed: ${String(error)}`, { cause: error })
      await delay(Math.random() * 1_000)
    }
  }
}

function ignore(code: string) {
  return (error: unknown) => {
    if (!(error instanceof pg.DatabaseError && error.code === code)) throw error
  }
}
