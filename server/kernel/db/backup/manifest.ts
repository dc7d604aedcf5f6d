import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a logical backup is: written last, so that a directory without it is no backup. */
export interface Manifest {
  format: 1
  /** Of the program that wrote it. */
  program: string
  /** Of the snapshot, by the database's clock. */
  taken_at: string
  postgres: string
  migrations: { version: number; name: string; checksum: string }[]
  tables: TableFile[]
  sequences: { name: string; last_value: number; is_called: boolean }[]
}
export interface TableFile {
  schema: string
  name: string
  columns: string[]
  rows: number
  file: string
  /** SHA-256 of the file as it is stored. */
  sha256: string
}

export const MANIFEST = 'manifest.json'

/** @throws Error unless the directory holds a whole logical backup */
export async function readManifest(directory: string): Promise<Manifest> {
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch((cause: unknown) => {
    throw new Error(`${directory} is no backup: it has no ${MANIFEST}`, { cause })
  })
  const manifest = JSON.parse(text) as Manifest
  if (manifest.format !== 1)
    throw new Error(`${directory}: this program does not read format ${String(manifest.format)}`)
  return manifest
}
