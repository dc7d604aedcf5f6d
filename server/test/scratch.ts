import { chmodSync, mkdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
/** A run needs less than half of it. */
const ENOUGH_BYTES = 4 * 1024 ** 3

/**
 * Where a run keeps what ends with it: in memory where there is plenty, because databases that are made and dropped, and
 * pictures that parts of a browser hand to each other, cost a disk's file system more than many tests cost.
 */
export const scratchDirectory = (): string =>
  join(isRoomy(MEMORY) ? MEMORY : tmpdir(), `smartqueue-test-${process.pid}`)

function isRoomy(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return Math.min(bavail * bsize, process.availableMemory()) >= ENOUGH_BYTES
  } catch {
    return false
  }
}

/** Anybody may keep something there, as in `/tmp`: PostgreSQL runs as another user. */
export function makeScratch(directory: string): void {
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o1777)
}

export const removeScratch = (directory: string): void =>
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
