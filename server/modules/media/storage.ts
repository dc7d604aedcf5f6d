import { createReadStream } from 'node:fs'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../../config.ts'
import type { Storage } from './storage-type.ts'

/** Files below a directory. */
export const diskStorage = (directory: string): Storage => ({
  async put(key, path) {
    const to = join(directory, key)
    await mkdir(dirname(to), { recursive: true })
    // From another file system: copied beside it first, so that nobody ever reads half a file.
    await rename(path, to).catch(async () => {
      await copyFile(path, `${to}.part`)
      await rename(`${to}.part`, to)
    })
  },
  read: async (key, range) => createReadStream(join(directory, key), range && { start: range[0], end: range[1] }),
  remove: (key) => rm(join(directory, key), { force: true }),
})

let current: Storage | undefined
/** The bucket of S3_BUCKET where there is one, else the data folder. */
export async function useStorage(config: Pick<Config, 's3' | 'dataDir'>): Promise<void> {
  current = config.s3
    ? (await import('./providers/s3.ts')).s3Storage(config.s3)
    : diskStorage(join(config.dataDir, 'media'))
}
export function storage(): Storage {
  if (!current) throw new Error('no storage is set')
  return current
}
