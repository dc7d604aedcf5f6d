import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, chmod, chown, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import { now } from '../../clock.ts'
import { BASE, type BaseBackup } from './base.ts'
import { bytesOf, segmentOf } from './replication.ts'
import { untar } from './untar.ts'
import { PARTIAL, SEGMENT } from './wal.ts'

export interface RecoverOptions {
  /** Of `baseBackup`. */
  base: string
  /** Of `receiveLog`; without it the copy is as of the end of the base backup. */
  log?: string | undefined
  /** Of the new server; made, and must not be there yet. */
  dataDirectory: string
  /** RFC 3339: what was committed later is left out. Default: everything that was received. */
  until?: string | undefined
}

/**
 * Makes a data directory from a base backup and the log: a server started on it recovers up to that moment and then
 * takes writes, on a timeline of its own. It is marked as a restored copy. Every file is compared with its checksum.
 * @throws Error when a file is damaged or missing, or the directory is there already
 */
export async function recover({
  base,
  log,
  dataDirectory,
  until,
}: RecoverOptions): Promise<BaseBackup & { files: number }> {
  const about = JSON.parse(await readFile(join(base, BASE.about), 'utf8')) as BaseBackup
  await mkdir(dirname(dataDirectory), { recursive: true })
  await mkdir(dataDirectory, { mode: 0o700 })
  const files = await untar(createReadStream(join(base, BASE.archive)).pipe(createZstdDecompress()), dataDirectory)
  await checkFiles(base, dataDirectory)
  if (log !== undefined) await copyLog(log, join(dataDirectory, 'pg_wal'), about)
  const settings = [
    // Everything that there is lies in pg_wal already.
    `restore_command = 'false'`,
    `recovery_target_timeline = 'latest'`,
    `recovery_target_action = 'promote'`,
    ...(until === undefined
      ? []
      : [`recovery_target_time = '${Temporal.Instant.from(until).toString().replace('T', ' ').replace('Z', '+00')}'`]),
    `primary_conninfo = ''`,
    `synchronous_standby_names = ''`,
    `app.restored_at = '${Temporal.Instant.fromEpochMilliseconds(now()).toString()}'`,
  ]
  await appendFile(join(dataDirectory, 'postgresql.auto.conf'), `${settings.join('\n')}\n`)
  await writeFile(join(dataDirectory, 'recovery.signal'), '')
  await chmod(dataDirectory, 0o700)
  const { uid, gid } = await stat(dirname(dataDirectory))
  if (process.getuid?.() === 0 && uid !== 0) await hand(dataDirectory, uid, gid)
  return { ...about, files }
}

interface FileList {
  Files: { Path?: string; 'Encoded-Path'?: string; Size: number; Checksum: string }[]
}
async function checkFiles(base: string, dataDirectory: string): Promise<void> {
  const { Files } = JSON.parse(await readFile(join(base, BASE.files), 'utf8')) as FileList
  for (const { Path, Checksum } of Files) {
    if (Path === undefined) continue
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(dataDirectory, Path)), hash)
    if (hash.digest('hex') !== Checksum) throw new Error(`${Path} is damaged: its checksum is another`)
  }
}

async function copyLog(log: string, target: string, { start, segmentBytes }: BaseBackup): Promise<void> {
  const names = await readdir(log)
  // Of any timeline: the place in the log decides.
  const first = segmentOf(bytesOf(start), 0, segmentBytes).slice(8)
  const wanted = names.filter((name) => SEGMENT.test(name) && name.slice(8) >= first)
  for (const name of wanted) await copyFile(join(log, name), join(target, name))
  for (const name of names.filter((each) => each.endsWith(PARTIAL) || each.endsWith('.history'))) {
    const whole = name.endsWith(PARTIAL) ? name.slice(0, -PARTIAL.length) : name
    if (!wanted.includes(whole)) await copyFile(join(log, name), join(target, whole))
  }
}

/** A server never runs as root. */
async function hand(directory: string, uid: number, gid: number): Promise<void> {
  await chown(directory, uid, gid)
  for (const entry of await readdir(directory, { recursive: true })) await chown(join(directory, entry), uid, gid)
}
