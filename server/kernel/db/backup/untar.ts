import { mkdir, open, symlink, type FileHandle } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'

const BLOCK = 512

/** Writes the files of a tar archive as PostgreSQL makes it (ustar: files, directories, links) below `directory`. */
export async function untar(source: AsyncIterable<Buffer>, directory: string): Promise<number> {
  let waiting: Buffer = Buffer.alloc(0)
  let file: FileHandle | undefined
  let left = 0
  let padding = 0
  let files = 0
  for await (const chunk of source) {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
    for (;;) {
      if (left > 0) {
        const part = waiting.subarray(0, Math.min(left, waiting.length))
        if (part.length === 0) break
        await file!.write(part)
        waiting = waiting.subarray(part.length)
        left -= part.length
        if (left > 0) break
        await file!.close()
        file = undefined
      }
      if (waiting.length < padding + BLOCK) break
      const header = waiting.subarray(padding, padding + BLOCK)
      waiting = waiting.subarray(padding + BLOCK)
      padding = 0
      const name = text(header, 0, 100)
      if (name === '') continue
      const path = within(directory, join(text(header, 345, 155), name))
      const kind = String.fromCharCode(header[156]!)
      const size = octal(header, 124)
      if (kind === '5') await mkdir(path, { recursive: true, mode: 0o700 })
      else if (kind === '2') await symlink(text(header, 157, 100), path)
      else {
        files++
        file = await open(path, 'w', 0o600)
        left = size
        padding = (BLOCK - (size % BLOCK)) % BLOCK
        if (size === 0) {
          await file.close()
          file = undefined
        }
      }
    }
  }
  if (left > 0) throw new Error('the archive ends in the middle of a file')
  return files
}

const text = (header: Buffer, at: number, length: number): string =>
  header
    .subarray(at, at + length)
    .toString('utf8')
    .replace(/\0.*$/s, '')

/** Digits, or for what is larger than they can say a number of its own. */
function octal(header: Buffer, at: number): number {
  if (header[at]! & 0x80) return Number(header.readBigUInt64BE(at + 4))
  return Number.parseInt(text(header, at, 12).trim() || '0', 8)
}

function within(directory: string, name: string): string {
  const path = resolve(directory, name)
  if (path !== resolve(directory) && !path.startsWith(resolve(directory) + sep))
    throw new Error(`the archive leads out of its directory: ${name}`)
  return path
}
