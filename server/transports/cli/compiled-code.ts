import { lstat, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { getCompileCacheDir } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { now } from '../../kernel/clock.ts'

const DAY_MS = 86_400_000
/** What no start has asked for in so long is of a version, or a place, that is gone. */
const UNUSED_DAYS = 30
/** Ten times what the program needs; many working copies, each with its own, would take more. */
const MOST_BYTES = 200e6
/** A server is busy with its first callers before. */
const AFTER_MS = 15_000
const STAMP = '.swept'

/** As the runtime calls its folders: version, processor, flags and user. */
const FOLDER = /^v\d+\.\d+\.\d+[^-]*-\w+-[0-9a-f]+(-\d+)?$/
/** A module's code, or what a process that died was writing. */
const ENTRY = /^[0-9a-f]{8}(\.\w{6})?$/

/** Sweeps once a server has been up for a while; a program that ends before does not wait for it. */
export function sweepCompiledCodeLater(): void {
  const directory = getCompileCacheDir()
  // Where nothing can be removed, nothing could be kept either.
  if (directory) setTimeout(() => void sweepCompiledCode(directory).catch(() => {}), AFTER_MS).unref()
}

interface Entry {
  path: string
  bytes: number
  /** Reading counts: systems that note it once a day do so often enough. */
  usedAt: number
}

/**
 * The runtime keeps compiled code for ever: of each of its own versions, of each version of the program and of each place it ever lay in.
 * Removes what was not used for long, and the longest unused of what is too much. Once a day, whichever process comes first. An entry
 * that goes while somebody reads it is compiled once more.
 * @param directory where this process keeps its own, beside the folders of other versions
 */
export async function sweepCompiledCode(directory: string, at = now(), most = MOST_BYTES): Promise<void> {
  const root = dirname(directory)
  const swept = await lstat(join(root, STAMP)).catch(() => undefined)
  if (swept && at - swept.mtimeMs < DAY_MS) return
  await writeFile(join(root, STAMP), '')
  const user = basename(directory).split('-')[3]
  const names = await readdir(root)
  const folders = names.filter((name) => FOLDER.test(name) && name.split('-')[3] === user)
  const kept: Entry[] = []
  for (const folder of folders) {
    for (const name of await readdir(join(root, folder))) {
      if (!ENTRY.test(name)) continue
      const path = join(root, folder, name)
      const found = await lstat(path).catch(() => undefined)
      if (!found?.isFile()) continue
      const entry = { path, bytes: found.size, usedAt: Math.max(found.atimeMs, found.mtimeMs) }
      const isUnfinished = name.includes('.')
      if (at - entry.usedAt > (isUnfinished ? 1 : UNUSED_DAYS) * DAY_MS) await rm(path, { force: true })
      else if (!isUnfinished) kept.push(entry)
    }
  }
  let bytes = 0
  for (const entry of kept.toSorted((a, b) => b.usedAt - a.usedAt)) {
    bytes += entry.bytes
    if (bytes > most) await rm(entry.path, { force: true })
  }
  // One that is not empty stays.
  for (const folder of folders) if (folder !== basename(directory)) await rmdir(join(root, folder)).catch(() => {})
}
