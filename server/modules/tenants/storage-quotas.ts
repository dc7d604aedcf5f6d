import type { Tx } from '../../kernel/db/types.ts'
import { conflict } from '../../kernel/errors.ts'

const MEGABYTE = 1_000_000
/** What every organisation may keep, in megabytes, where the platform's operator has not said otherwise. */
const DEFAULTS = { media_megabytes: 10_000, voice_megabytes: 200 } as const
export type StorageQuota = keyof typeof DEFAULTS

/** Bytes that may be kept, of an amount that the operator has set or not. */
export const bytesOf = (quota: StorageQuota, amount: number | null | undefined): number =>
  (amount ?? DEFAULTS[quota]) * MEGABYTE

/** What is kept: pictures and films with all their sizes; recorded words. */
const KEPT = {
  media_megabytes: `select coalesce(sum((v ->> 'size_bytes')::bigint), 0)::bigint as bytes from media, jsonb_array_elements(variants) v`,
  voice_megabytes: 'select coalesce(sum(length(bytes)), 0)::bigint as bytes from voice_clips',
} as const satisfies Record<StorageQuota, string>

/** What the organisation of the transaction keeps, and what it may, in bytes. */
export async function storageOf(tx: Tx, quota: StorageQuota): Promise<{ bytes: number; mostBytes: number }> {
  const { bytes } = await tx.one<{ bytes: number }>(KEPT[quota])
  const row = await tx.maybe<{ amount: number }>('select amount from tenant_quotas where quota = $1', [quota])
  return { bytes, mostBytes: bytesOf(quota, row?.amount) }
}

const FULL = { media_megabytes: 'media_full', voice_megabytes: 'voice_full' } as const

/** @throws AppError conflict `media_full`, `voice_full` when so many bytes more are more than the organisation may keep */
export async function checkRoom(tx: Tx, quota: StorageQuota, more: number): Promise<void> {
  const { bytes, mostBytes } = await storageOf(tx, quota)
  if (bytes + more > mostBytes) throw conflict(FULL[quota], { megabytes: mostBytes / MEGABYTE })
}
