import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { createZstdCompress } from 'node:zlib'
import pg from 'pg'
import { connectClient } from '../hosts.ts'
import { types } from '../values.ts'
import { copyOut } from './copy.ts'
import { MANIFEST, type Manifest, type TableFile } from './manifest.ts'

/** Every table with data of ours: not the lists of migrations, which the program that restores writes itself. */
const TABLES = `
  select n.nspname as schema, c.relname as name,
    array_agg(a.attname::text order by a.attnum) filter (where a.attgenerated = '') as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where n.nspname in ('public', 'app', 'graphile_worker') and c.relkind in ('r', 'p') and not c.relispartition
    and (n.nspname, c.relname) not in (('public', 'schema_migrations'), ('graphile_worker', 'migrations'))
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
  group by 1, 2 order by 1, 2`
/** A sequence that may not be read shows as one that was never used. */
const SEQUENCES = `
  select format('%I.%I', schemaname, sequencename) as name, coalesce(last_value, start_value) as last_value,
    last_value is not null as is_called,
    has_sequence_privilege(format('%I.%I', schemaname, sequencename), 'select') as is_readable
  from pg_sequences where schemaname in ('public', 'app', 'graphile_worker') order by 1`

/**
 * Writes every row of every organisation as of one moment into a new directory: a compressed COPY file a table, and a
 * manifest with rows and checksums. Other programs go on meanwhile.
 *
 * Row-level security is turned off for the session, which asks for a login that may read past it; for any other login
 * the server then refuses each statement, where it would otherwise leave rows out without a word.
 * @param url a direct connection of a superuser, or of a login with BYPASSRLS and the rights of `sq_backup`
 * @throws Error when a row could have been left out, and what the server says; the directory is then not there
 */
export async function dump(url: string, directory: string, program: string): Promise<Manifest> {
  const client = await connectClient(url, { application_name: 'smartqueue backup', types })
  const draft = `${directory}.part`
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 })
    await client.query(
      'set statement_timeout = 0; set row_security = off; begin isolation level repeatable read read only',
    )
    const all = async <Row>(text: string) => (await client.query(text)).rows as Row[]
    const [{ taken_at, postgres }] = (await all<{ taken_at: string; postgres: string }>(
      `select now() as taken_at, current_setting('server_version') as postgres`,
    )) as [{ taken_at: string; postgres: string }]
    const migrations = await all<Manifest['migrations'][number]>(
      'select version, name, checksum from schema_migrations order by version',
    )
    const tables: TableFile[] = []
    for (const table of await all<Pick<TableFile, 'schema' | 'name' | 'columns'>>(TABLES))
      tables.push(await dumpTable(client, draft, table))
    const sequences = (await all<Manifest['sequences'][number] & { is_readable: boolean }>(SEQUENCES)).map(
      ({ is_readable, ...sequence }) => {
        if (!is_readable) throw new Error(`this login may not read the sequence ${sequence.name}`)
        return sequence
      },
    )
    await client.query('commit')
    const manifest: Manifest = { format: 1, program, taken_at, postgres, migrations, tables, sequences }
    await writeFile(join(draft, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true })
    await rename(draft, directory)
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (error instanceof pg.DatabaseError && error.code === '42501')
      throw new Error(
        `this login may not read everything, so there would be rows missing: ${error.message}. Use a superuser, or a login with BYPASSRLS in sq_backup`,
        { cause: error },
      )
    throw error
  } finally {
    await client.end()
  }
}

async function dumpTable(
  client: pg.Client,
  directory: string,
  { schema, name, columns }: Pick<TableFile, 'schema' | 'name' | 'columns'>,
): Promise<TableFile> {
  const file = `${schema}.${name}.copy.zst`
  const hash = createHash('sha256')
  const packer = createZstdCompress()
  const out = createWriteStream(join(directory, file), { mode: 0o600, flush: true })
  packer.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    if (!out.write(chunk)) {
      packer.pause()
      out.once('drain', () => packer.resume())
    }
  })
  // Whoever waits for room must not wait for ever when the disk is full.
  const broken = new Promise<never>((_, reject) => {
    out.once('error', reject)
    packer.once('error', reject)
  })
  broken.catch(() => {})
  // Several blocks arrive in one read, and all wait for the same room.
  let draining: Promise<void> | undefined
  const drained = () =>
    (draining ??= new Promise<void>((resolve) => packer.once('drain', () => resolve())).finally(
      () => (draining = undefined),
    ))
  const rowsOf = `select ${columns.map(pg.escapeIdentifier).join(', ')} from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
  // A table in parts is copied by no other words.
  const copying = copyOut(client, `copy (${rowsOf}) to stdout`, (block) =>
    packer.write(block) ? undefined : drained(),
  )
  const rows = await Promise.race([copying, broken])
  // After its end a stream never tells that there is room again, and the connection would rest for ever.
  await draining
  packer.end()
  await Promise.race([finished(packer, { readable: true }), broken])
  out.end()
  await Promise.race([finished(out), broken])
  return { schema, name, columns, rows, file, sha256: hash.digest('hex') }
}
