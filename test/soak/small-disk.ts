import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  directory: string
  /** Leaves less than a page of it. */
  fill(): void
  free(): void
  close(): void
}

/** A disk in memory of so many MiB. @throws Error where mounting is not allowed: run as root */
export async function mountSmall(mebibytes: number): Promise<SmallDisk> {
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-disk-'))
  const { status, stderr } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', directory],
    { encoding: 'utf8' },
  )
  if (status !== 0) {
    rmSync(directory, { recursive: true })
    throw new Error(`a small disk cannot be mounted: ${stderr.trim()}`)
  }
  const ballast = join(directory, 'ballast')
  return {
    directory,
    fill() {
      const { bavail, bsize } = statfsSync(directory)
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 64 * 1024), 1))
    },
    free: () => rmSync(ballast, { force: true }),
    close() {
      spawnSync('umount', ['-l', directory])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
