import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemActor } from '../../kernel/access.ts'
import { AppError, invalid, notFound } from '../../kernel/errors.ts'
import type { Runtime } from '../../kernel/execute.ts'
import { hashToken, randomBase62, tenantOfToken } from '../../kernel/ids.ts'
import { countUpload } from '../../kernel/metrics.ts'
import type { Tenant } from '../../kernel/operation.ts'
import { reduce, type Reduced } from './images/reduce.ts'
import { finish } from './operations.ts'
import type { Media } from './schema.ts'
import { HEAD_BYTES, sniff, type Kind } from './sniff.ts'
import { storage } from './storage.ts'

const MOST_BYTES: Record<Kind, number> = { image: 15_000_000, video: 100_000_000 }
export const MOST_UPLOAD_BYTES = Math.max(...Object.values(MOST_BYTES))

export interface Uploads {
  runtime: Runtime
  tenantById(id: number): Promise<Tenant | undefined>
}
interface Upload {
  token: string
  bytes: Readable
  requestId: string
}

/**
 * Takes in a file that was announced: looks at what it really is, makes pictures anew, stores it, and says that it is there.
 * @throws AppError not_found for an address that takes none, invalid_input `format`, too_large
 */
export async function takeUpload(
  { runtime, tenantById }: Uploads,
  { token, bytes, requestId }: Upload,
): Promise<Media> {
  const tenantId = tenantOfToken(token)
  const tenant = tenantId === undefined ? undefined : await tenantById(tenantId)
  if (!tenant?.is_active) throw notFound()
  const wanted = await runtime.db
    .reader(tenant.id)
    .maybe<{ id: number; kind: Kind }>(
      `select id, kind from media where upload_hash = $1 and status = 'awaited' and upload_expires_at > now()`,
      [hashToken(token)],
    )
  if (!wanted) throw notFound()
  const directory = await mkdtemp(join(tmpdir(), 'smartqueue-upload-'))
  const keys: string[] = []
  try {
    const variants = await variantsOf(wanted.kind, bytes, directory)
    const stored = variants.map(({ file: _, ...variant }) => ({ ...variant, key: `${tenant.id}/${randomBase62(22)}` }))
    for (const [i, { key, type }] of stored.entries()) {
      keys.push(key)
      await storage().put(key, variants[i]!.file, type)
    }
    const { output } = await runtime.execute(finish, {
      actor: systemActor(tenant.id),
      tenant,
      locale: tenant.locale,
      input: { id: wanted.id, variants: stored },
      requestId,
    })
    countUpload(wanted.kind, 'done')
    return output as Media
  } catch (error) {
    countUpload(wanted.kind, error instanceof AppError ? 'refused' : 'failed')
    for (const key of keys) await storage().remove(key)
    throw error
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

type Found = Omit<Reduced, 'width' | 'height'> & { width: number | null; height: number | null }

async function variantsOf(kind: Kind, bytes: Readable, directory: string): Promise<Found[]> {
  const path = join(directory, 'upload')
  await pipeline(atMost(bytes, MOST_BYTES[kind]), createWriteStream(path))
  const { size } = await stat(path)
  const known = sniff(await headOf(path))
  if (known?.kind !== kind) throw invalid('/file', 'format')
  if (kind === 'image') return reduce({ path, directory })
  return [{ name: 'original', type: known.type, width: null, height: null, size_bytes: size, file: path }]
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Too much is refused without ending the connection: the sender is told why. @throws AppError too_large */
async function* atMost(bytes: Readable, most: number): AsyncGenerator<Buffer> {
  let taken = 0
  for await (const chunk of bytes.iterator({ destroyOnReturn: false })) {
    taken += (chunk as Buffer).length
    if (taken > most) throw new AppError('too_large', 'payload_too_large')
    yield chunk as Buffer
  }
}
