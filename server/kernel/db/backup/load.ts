import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import pg from 'pg'
import { connectClient } from '../hosts.ts'
import { migrate, MIGRATIONS } from '../migrate.ts'
import { copyIn } from './copy.ts'
import { readManifest, type Manifest, type TableFile } from './manifest.ts'

export interface Loaded {
  manifest: Manifest
  rows: number
  /** Migrations that this program has beyond those of the backup, applied to the restored rows. */
  migrated: string[]
}

/** What is made again after the rows are there, in this order: nothing is looked up or checked row by row. */
const INDEXES = `
  select format('drop index %s', i.indexrelid::regclass) as drop, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') as make
  from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'graphile_worker') and not exists (select from pg_constraint o where o.conindid = i.indexrelid)
    and not x.relispartition
  order by i.indexrelid::regclass::text`
const FOREIGN_KEYS = `
  select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
  from pg_constraint where contype = 'f' and conparentid = 0 and connamespace::regnamespace::text in ('public', 'graphile_worker')
  order by conrelid::regclass::text, conname`
/** While rows come in, the owner reads past the policies, and no trigger answers to rows that it saw long ago. */
const TABLES = `
  select c.oid::regclass::text as name, c.relforcerowsecurity as is_forced from pg_class c
  where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text in ('public', 'graphile_worker')
    and c.relname not in ('schema_migrations', 'migrations') order by 1`

/**
 * Fills an empty database with a logical backup: all of it or nothing. Every file is compared with its checksum, every
 * table with its number of rows, and every foreign key is checked anew.
 * @param url a direct connection of a superuser, or of a database owner that may create roles
 * @throws Error when the database is not empty, the backup is damaged, or it comes from a later program
 */
export async function load(url: string, directory: string, migrations = MIGRATIONS): Promise<Loaded> {
  const manifest = await readManifest(directory)
  for (const table of manifest.tables) await checkFile(directory, table)
  const client = await connectClient(url, { application_name: 'smartqueue restore' })
  try {
    const { rows } = await client.query<{ used: boolean }>(
      `select to_regclass('public.schema_migrations') is not null as used`,
    )
    if (rows[0]!.used) throw new Error('the database is not empty: a backup is restored into a new one')
    const last = manifest.migrations.at(-1)!.version
    await migrate(url, migrations, last)
    await checkMigrations(client, manifest)
    await fill(client, directory, manifest)
    await client.query('analyze')
    return {
      manifest,
      rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
      migrated: await migrate(url, migrations),
    }
  } finally {
    await client.end()
  }
}

async function checkMigrations(client: pg.Client, manifest: Manifest) {
  const { rows } = await client.query<Manifest['migrations'][number]>(
    'select version, name, checksum from schema_migrations order by version',
  )
  const of = (each: Manifest['migrations'][number]) => `${each.version} ${each.name} ${each.checksum}`
  const made = new Set(rows.map(of))
  const missing = manifest.migrations.find((each) => !made.has(of(each)))
  if (missing)
    throw new Error(
      `the backup is of ${manifest.program} with migration ${missing.version} (${missing.name}), which this program does not have: restore with a version that has it`,
    )
}

async function fill(client: pg.Client, directory: string, manifest: Manifest): Promise<void> {
  const of = async <Row extends object>(text: string) => (await client.query<Row>(text)).rows
  await client.query(`begin; set local role sq_owner; set local statement_timeout = 0; set local synchronous_commit = off;
    set local maintenance_work_mem = '256MB'; set local max_parallel_maintenance_workers = 1`)
  try {
    const tables = await of<{ name: string; is_forced: boolean }>(TABLES)
    await client.query(`truncate ${tables.map(({ name }) => name).join(', ')}`)
    const made = [
      ...(await of<{ drop: string; make: string }>(INDEXES)),
      ...(await of<{ drop: string; make: string }>(FOREIGN_KEYS)),
    ]
    for (const { drop } of made.toReversed()) await client.query(drop)
    for (const { name } of tables)
      await client.query(`alter table ${name} no force row level security, disable trigger user`)
    for (const table of manifest.tables) await fillTable(client, directory, table)
    for (const { name, last_value, is_called } of manifest.sequences)
      await client.query('select setval($1, $2, $3)', [name, last_value, is_called])
    // Whoever had a job in hand is not here.
    await client.query(`
      update graphile_worker._private_jobs set locked_at = null, locked_by = null where locked_at is not null;
      update graphile_worker._private_job_queues set locked_at = null, locked_by = null where locked_at is not null`)
    // Before the walls stand again: a key is checked by reading both tables as their owner, who then sees no row.
    for (const { make } of made) await client.query(make)
    for (const { name, is_forced } of tables)
      await client.query(`alter table ${name} enable trigger user${is_forced ? ', force row level security' : ''}`)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

async function fillTable(client: pg.Client, directory: string, { schema, name, columns, file, rows }: TableFile) {
  const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
  const unpacked = createReadStream(join(directory, file)).pipe(createZstdDecompress())
  const stored = await copyIn(
    client,
    `copy ${table} (${columns.map(pg.escapeIdentifier).join(', ')}) from stdin`,
    unpacked,
  )
  if (stored !== rows) throw new Error(`${file} holds ${stored} rows where the manifest says ${rows}`)
}

async function checkFile(directory: string, { file, sha256 }: TableFile): Promise<void> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(join(directory, file)), hash)
  if (hash.digest('hex') !== sha256) throw new Error(`${file} is damaged: its checksum is another`)
}
