import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Database, Tx } from '../../kernel/db/types.ts'
import { notFound } from '../../kernel/errors.ts'
import { storage } from '../media/index.ts'
import type { Content } from './content.ts'

export interface ArchiveFile {
  name: string
  row_count: number
  bytes: number
  sha256: string
  archived_at: string
  kept_until: string | null
}
const COLUMNS = 'name, row_count, bytes, sha256, archived_at, kept_until'
const keyOf = (tenantId: number, name: string) => `archive/${tenantId}/${name}.jsonl.gz`

export const filesOf = (tx: Tx): Promise<ArchiveFile[]> =>
  tx.query<ArchiveFile>(`select ${COLUMNS} from archive_files order by name`)

/** Notes bytes and digest of what passes. */
function measure() {
  const hash = createHash('sha256')
  let bytes = 0
  return {
    async *pass(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk)
        bytes += chunk.length
        yield chunk
      }
    },
    done: () => ({ bytes, sha256: hash.digest('hex') }),
  }
}

/**
 * Writes rows of one organisation to a compressed file of one JSON object a line, reads the file back from where it was put, compares
 * it line by line with what the database holds, and notes it.
 * @returns rows in the file
 * @throws Error when the file does not say what the database says
 */
export async function writeArchive(db: Database, tenantId: number, name: string, content: Content): Promise<number> {
  const reader = db.reader(tenantId, 'reports')
  const directory = await mkdtemp(join(tmpdir(), 'smartqueue-archive-'))
  const key = keyOf(tenantId, name)
  try {
    const path = join(directory, 'rows')
    const measured = measure()
    await pipeline(Readable.from(linesOf(reader, content)), createGzip(), measured.pass, createWriteStream(path))
    const { bytes, sha256 } = measured.done()
    if ((await stat(path)).size !== bytes) throw new Error(`${key}: not all of it was written`)
    await storage().put(key, path, 'application/gzip')
    const row_count = await compare(linesOf(reader, content), readLines(tenantId, { name, sha256 }), key)
    await db.tenant(tenantId, (tx) =>
      tx.query(
        `insert into archive_files (name, row_count, bytes, sha256) values ($1, $2, $3, $4) on conflict (tenant_id, name) do update
         set row_count = excluded.row_count, bytes = excluded.bytes, sha256 = excluded.sha256, archived_at = now(), kept_until = null`,
        [name, row_count, bytes, sha256],
      ),
    )
    return row_count
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function* linesOf(reader: Tx, content: Content): AsyncGenerator<string> {
  for (let after: readonly number[] = []; ;) {
    const page = await content.page(reader, after)
    if (page.lines.length === 0) return
    for (const line of page.lines) yield `${JSON.stringify(line)}\n`
    after = page.after
  }
}

async function compare(rows: AsyncGenerator<string>, lines: AsyncIterable<string>, key: string): Promise<number> {
  let count = 0
  for await (const line of lines) {
    const row = await rows.next()
    if (row.done || row.value !== `${line}\n`)
      throw new Error(`${key}: line ${count + 1} is not what the database holds`)
    count++
  }
  if (!(await rows.next()).done) throw new Error(`${key}: ends after ${count} lines, the database has more`)
  return count
}

/**
 * Lines of a file, one JSON object each.
 * @throws Error at the end when it is not the file that was written
 */
export async function* readLines(
  tenantId: number,
  { name, sha256 }: Pick<ArchiveFile, 'name' | 'sha256'>,
): AsyncGenerator<string> {
  const key = keyOf(tenantId, name)
  const packed = await storage().read(key)
  const measured = measure()
  const plain = createGunzip().setEncoding('utf8')
  const flowing = pipeline(packed, measured.pass, plain)
  flowing.catch(() => {})
  let rest = ''
  for await (const chunk of plain as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  await flowing
  if (measured.done().sha256 !== sha256) throw new Error(`${key}: is not the file that was written`)
}

/** @throws the one not-found error */
export async function fileOf(tx: Tx, name: string): Promise<ArchiveFile> {
  const file = (await filesOf(tx)).find((each) => each.name === name)
  if (!file) throw notFound()
  return file
}
