import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import packageJson from '../../../../package.json' with { type: 'json' }
import type { Config } from '../../../config.ts'
import { monotonicMs } from '../../../kernel/clock.ts'
import {
  baseBackup,
  connectDirect,
  receiveLog,
  recover,
  type RecoverOptions,
  dump,
  hold,
  load,
  release,
  renewEpochs,
  startEmbedded,
  type Direct,
} from '../../../kernel/db/index.ts'
import { complain, print } from '../output.ts'
import { verifyBackup } from './verify.ts'

/** What else belongs to an installation that keeps its files on its own disk. */
const FILES = ['media', 'audit-heads'] as const
const PREFIX = 'smartqueue-'
const NAME = /^smartqueue-\d{8}T\d{6}Z$/

const secondsSince = (started: number) => ((monotonicMs() - started) / 1000).toFixed(1)

/** A direct login, of the embedded database too, which this brings up if need be. */
async function withDirectUrl<T>(config: Config, run: (url: string) => Promise<T>): Promise<T> {
  if (config.databaseDirectUrl) return run(config.databaseDirectUrl)
  const embedded = await startEmbedded({ directory: join(config.dataDir, 'postgresql') })
  try {
    return await run(embedded.directUrl)
  } finally {
    await embedded.close()
  }
}

async function withDirect<T>(config: Config, run: (direct: Direct) => Promise<T>): Promise<T> {
  return withDirectUrl(config, async (url) => {
    const direct = await connectDirect(url)
    try {
      return await run(direct)
    } finally {
      await direct.close()
    }
  })
}

/**
 * Writes a logical backup into a new directory below `to` and, when `keep` is given, removes all but the newest so many.
 * Answers whether it was found well; then, and only then, older ones go.
 */
export async function backUp(
  config: Config,
  { to, keep, scratch, verify: isVerified = false }: { to: string; keep?: number; verify?: boolean; scratch?: string },
): Promise<boolean> {
  const started = monotonicMs()
  await mkdir(to, { recursive: true, mode: 0o700 })
  const directory = join(resolve(to), PREFIX + (await stamp(config)))
  const manifest = await withDirectUrl(config, (url) => dump(url, directory, packageJson.version))
  for (const name of FILES)
    await cp(join(config.dataDir, name), join(directory, 'files', name), { recursive: true }).catch(ignoreMissing)
  const seconds = secondsSince(started)
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
  print(`${directory}: ${rows} rows of ${manifest.tables.length} tables in ${seconds} s`)
  await onRecord(config, 'select app.record_backup($1, $2, $3, $4)', [
    basename(directory),
    'logical',
    Number(seconds),
    rows,
  ])
  if (isVerified && !(await verify(config, directory, scratch))) return false
  if (keep !== undefined) await prune(to, keep)
  return true
}

const stamp = (config: Config): Promise<string> =>
  withDirect(config, async ({ query }) => {
    const [row] = await query<{ stamp: string }>(
      `select to_char(now() at time zone 'UTC', 'YYYYMMDD"T"HH24MISS"Z"') as stamp`,
    )
    return row!.stamp
  })

/** Only what this program named, and a backup that is whole is there before another one goes. */
async function prune(directory: string, keep: number): Promise<void> {
  const all = (await readdir(directory)).filter((name) => NAME.test(name)).toSorted()
  for (const name of all.slice(0, Math.max(0, all.length - Math.max(1, keep)))) {
    await rm(join(directory, name), { recursive: true })
    print(`${join(directory, name)}: removed`)
  }
}

/** Tells what a logical backup holds after restoring it into a scratch database; answers whether all is well. */
export async function verify(config: Config, directory: string, scratchUrl?: string): Promise<boolean> {
  const started = monotonicMs()
  const { tables, rows, differing, auditLogs, auditEntries, brokenLogs, answers, failures } = await verifyBackup(
    resolve(directory),
    config,
    scratchUrl,
  )
  const tell = (name: string, said: string, problems: readonly string[]) => {
    print(`${problems.length === 0 ? 'ok  ' : 'FAIL'}  ${name}: ${said}`)
    for (const problem of problems) print(`        ${problem}`)
    return problems.length === 0
  }
  const verdicts = [
    tell('rows', `${rows} of ${tables} tables, as the manifest says`, differing),
    tell('audit', `${auditEntries} entries of ${auditLogs} logs, every link computed again`, brokenLogs),
    tell('answers', `${answers} reads by the program on the restored copy`, failures),
  ]
  print(`restored and verified in ${secondsSince(started)} s; the copy is removed`)
  const isWell = verdicts.every(Boolean)
  await onRecord(config, 'select app.record_verification($1, $2)', [basename(resolve(directory)), isWell])
  return isWell
}

/** Tells the installation what was done, for its operators to read. A backup is no worse for not being on record. */
async function onRecord(config: Config, text: string, values: readonly unknown[]): Promise<void> {
  await withDirect(config, ({ query }) => query(text, values)).catch((error: unknown) =>
    complain(`not on record: ${error instanceof Error ? error.message : String(error)}`),
  )
}

/** Restores a logical backup into the empty database of the settings. The copy sends nothing until it is released. */
export async function restore(config: Config, directory: string): Promise<void> {
  const started = monotonicMs()
  await withDirectUrl(config, async (url) => {
    const { rows, migrated } = await load(url, resolve(directory))
    const direct = await connectDirect(url)
    try {
      await renewEpochs(direct.query)
      await hold(direct.query)
    } finally {
      await direct.close()
    }
    for (const name of FILES)
      await cp(join(directory, 'files', name), join(config.dataDir, name), { recursive: true }).catch(ignoreMissing)
    print(`${rows} rows restored in ${secondsSince(started)} s`)
    if (migrated.length > 0) print(`then applied: ${migrated.join(', ')}`)
  })
  print('This is a copy: it sends nothing and does no background work until `smartqueue restore --release`.')
}

/** Copies the server as it is; with the log that `keepLog` keeps, the way to any later moment. */
export async function backUpServer(config: Config, { to }: { to: string }): Promise<void> {
  const started = monotonicMs()
  await mkdir(to, { recursive: true, mode: 0o700 })
  const directory = join(resolve(to), `base-${(await stamp(config)).replace(/\W/g, '')}`)
  const { start, timeline } = await withDirectUrl(config, (url) => baseBackup(url, directory, packageJson.version))
  const seconds = secondsSince(started)
  print(`${directory}: log needed from ${start} on timeline ${timeline}, in ${seconds} s`)
  await onRecord(config, 'select app.record_backup($1, $2, $3, $4)', [
    basename(directory),
    'server',
    Number(seconds),
    null,
  ])
}

/** Keeps the server's log until the process is told to end. */
export async function keepLog(config: Config, { to }: { to: string }): Promise<void> {
  const ending = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort())
  print(`the log is kept in ${resolve(to)}`)
  await withDirectUrl(config, (url) =>
    receiveLog(url, { directory: resolve(to), signal: ending.signal, onEvent: complain }),
  )
}

/** Makes a data directory from a base backup and the log; starting PostgreSQL on it recovers. */
export async function recoverServer(options: RecoverOptions): Promise<void> {
  const started = monotonicMs()
  const { files, postgres } = await recover(options)
  print(`${options.dataDirectory}: ${files} files, checked, in ${secondsSince(started)} s`)
  print(
    `Start PostgreSQL ${postgres.split('.')[0]} on it: it recovers${options.until ? ` up to ${options.until}` : ''}, then takes writes. It is a copy until \`smartqueue restore --release\`.`,
  )
}

/** Makes a restored copy the installation. Processes that run learn it when they start again. */
export async function releaseCopy(config: Config): Promise<void> {
  const done = await withDirect(config, ({ query }) => release(query))
  print(
    done
      ? 'Released: start the processes again, and they send and work. Streams begin a new epoch.'
      : 'This database is no held copy: there is nothing to release.',
  )
}

/** After a failover that may have lost acknowledged writes: whoever follows begins anew. */
export async function newEpochs(config: Config): Promise<void> {
  print(`${await withDirect(config, ({ query }) => renewEpochs(query))} streams begin a new epoch`)
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
