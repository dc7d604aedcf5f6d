import type { Database } from '../../kernel/db/types.ts'
import { secondsLeft } from './links.ts'
import type { StoredMedia } from './schema.ts'

/** A file behind a signed address. */
export interface MediaFile {
  key: string
  type: string
  size_bytes: number
  /** How long the address still serves. */
  secondsLeft: number
}
export interface MediaAddress {
  tenant: string
  id: string
  variant: string
  expires: string
  signature: string
}

/** What an address that `mediaPath` made stands for, or undefined. */
export async function mediaFile(db: Database, address: MediaAddress): Promise<MediaFile | undefined> {
  const { variant, expires, signature } = address
  const [tenantId, id] = [Number.parseInt(address.tenant, 36), Number(address.id)]
  if (!Number.isSafeInteger(tenantId) || !Number.isSafeInteger(id)) return undefined
  const left = secondsLeft({ tenantId, id, variant }, Number(expires), signature)
  if (left === undefined) return undefined
  const row = await db
    .reader(tenantId)
    .maybe<Pick<StoredMedia, 'variants'>>(`select variants from media where id = $1 and status = 'ready'`, [id])
  const found = row?.variants.find(({ name }) => name === variant)
  return found && { key: found.key, type: found.type, size_bytes: found.size_bytes, secondsLeft: left }
}
