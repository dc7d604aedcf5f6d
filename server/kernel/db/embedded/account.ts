import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readlinkSync, realpathSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The user that PostgreSQL runs as, where it cannot be the user that we run as. */
export interface Account {
  uid: number
  gid: number
}
/** PostgreSQL refuses root and needs a user that exists: this one does on every Linux and macOS. */
const NOBODY: Account = { uid: 65534, gid: 65534 }
/** Where root keeps a cluster whose wanted directory nobody else can enter, such as one under /root. */
const FALLBACK = '/var/lib/smartqueue'

/** A directory for the cluster that is private to the user PostgreSQL runs as. */
export interface Home {
  path: string
  /** undefined = PostgreSQL runs as we do */
  account: Account | undefined
}

export function prepareHome(directory: string): Home {
  mkdirSync(dirname(directory), { recursive: true })
  const isRoot = process.getuid?.() === 0
  if (isRoot && !existsSync(directory) && !enterable(dirname(directory), NOBODY)) linkToFallback(directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = realpathSync(directory)
  if (!isRoot) {
    const { uid } = statSync(path)
    if (uid === process.getuid?.()) return { path, account: undefined }
    throw new Error(`${path} belongs to user ${uid}: start as that user, or use another DATA_DIR`)
  }
  // A cluster that another user began stays that user's; our own directory is handed over.
  if (statSync(path).uid === 0) chownSync(path, NOBODY.uid, NOBODY.gid)
  const { uid, gid } = statSync(path)
  if (!enterable(path, { uid, gid })) throw new Error(`${path}: user ${uid} cannot enter it, or a directory above it`)
  return { path, account: { uid, gid } }
}

/** The link keeps the cluster found under its usual name. */
function linkToFallback(directory: string): void {
  const target = join(FALLBACK, digest(directory))
  mkdirSync(FALLBACK, { recursive: true, mode: 0o711 })
  mkdirSync(target, { recursive: true, mode: 0o700 })
  try {
    symlinkSync(target, directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || readlinkSync(directory) !== target) throw error
  }
}

/** Can `account` read and execute the file, and enter every directory above it? */
export function reachable(file: string, account: Account): boolean {
  return permits(file, account, 0o5) && enterable(dirname(file), account)
}

function enterable(directory: string, account: Account): boolean {
  const real = realpathSync(directory)
  return permits(real, account, 0o1) && (real === dirname(real) || enterable(dirname(real), account))
}

function permits(path: string, { uid, gid }: Account, bits: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(path)
  const shift = owner === uid ? 6 : group === gid ? 3 : 0
  return ((mode >> shift) & bits) === bits
}

/**
 * Directory of the Unix socket: the home itself, or a short private one when the path would not fit into a socket
 * address (107 bytes on Linux, 103 on macOS).
 */
export function socketDirectory({ path, account }: Home): string {
  if (path.length < 80) return path
  const directory = join(tmpdir(), `smartqueue-${digest(path)}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const owner = account?.uid ?? process.getuid?.()
  if (account && statSync(directory).uid === 0) chownSync(directory, account.uid, account.gid)
  const { uid, mode } = statSync(directory)
  // Anybody may create names in the temporary directory: a directory that is not ours is not trusted.
  if (uid !== owner || (mode & 0o77) !== 0)
    throw new Error(`${directory} belongs to somebody else: use a shorter DATA_DIR`)
  return directory
}

function digest(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12)
}
