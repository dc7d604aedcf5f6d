import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { createZstdCompress } from 'node:zlib'
import { connectReplication, streamCommand } from './replication.ts'

export const BASE = { archive: 'base.tar.zst', files: 'backup_manifest', about: 'base.json' } as const
export interface BaseBackup {
  program: string
  postgres: string
  /** Where the log begins that is needed, and its timeline. */
  start: string
  timeline: number
  segmentBytes: number
}

/**
 * Copies the whole server as it is, with the log that makes the copy consistent. From there, the log kept by
 * `receiveLog` leads to any later moment.
 * @param url a direct connection of a superuser or a login with REPLICATION, to PostgreSQL 15 or later
 * @throws Error when the server has tablespaces of its own, and what the server says; the directory is then not there
 */
export async function baseBackup(url: string, directory: string, program: string): Promise<BaseBackup> {
  const client = await connectReplication(url)
  const draft = `${directory}.part`
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 })
    const show = async (name: string) =>
      String(Object.values((await client.query(`SHOW ${name}`)).rows[0] as object)[0])
    const postgres = await show('server_version')
    const segmentBytes = Number.parseInt(await show('wal_segment_size'), 10) * 1024 * 1024
    const packer = createZstdCompress()
    const out = createWriteStream(join(draft, BASE.archive), { mode: 0o600, flush: true })
    const broken = new Promise<never>((_, reject) => {
      packer.once('error', reject)
      out.once('error', reject)
    })
    broken.catch(() => {})
    packer.pipe(out)
    // Several messages arrive in one read, and all wait for the same room.
    let draining: Promise<void> | undefined
    const drained = () =>
      (draining ??= Promise.race([
        new Promise<void>((resolve) => packer.once('drain', () => resolve())),
        broken,
      ]).finally(() => (draining = undefined)))
    const files: Buffer[] = []
    let archives = 0
    let part: 'archive' | 'files' = 'archive'
    const rows = await streamCommand(
      client,
      `BASE_BACKUP (LABEL 'smartqueue', CHECKPOINT 'fast', WAL true, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')`,
      (message) => {
        const kind = String.fromCharCode(message[0]!)
        if (kind === 'n') archives++
        if (kind === 'm') part = 'files'
        if (kind !== 'd') return undefined
        const data = Buffer.from(message.subarray(1))
        if (part === 'files') files.push(data)
        else if (archives > 1)
          return Promise.reject(new Error('tablespaces are not copied: use the tools of PostgreSQL'))
        else if (!packer.write(data)) return drained()
        return undefined
      },
    )
    await draining
    packer.end()
    await Promise.race([finished(out), broken])
    const [start, timeline] = rows[0] as [string, string]
    const about: BaseBackup = { program, postgres, start, timeline: Number(timeline), segmentBytes }
    await writeFile(join(draft, BASE.files), Buffer.concat(files), { mode: 0o600, flush: true })
    await writeFile(join(draft, BASE.about), `${JSON.stringify(about, null, 1)}\n`, { mode: 0o600, flush: true })
    await rename(draft, directory)
    return about
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  } finally {
    await client.end().catch(() => {})
  }
}
