import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { now } from '../../kernel/clock.ts'

/** An address serves for a day and up to an hour more: within an hour it stays the same, so that browsers keep the file. */
const HOUR = 3600
const DAY = 86_400

let keys: Buffer[] = []
/** The first signs, all are believed. */
export function useMediaKeys(secretKey: string, fallbacks: readonly string[] = []): void {
  keys = [secretKey, ...fallbacks].map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'media links', 32)))
}
const sign = (key: Buffer, what: string) => createHmac('sha256', key).update(what).digest('base64url').slice(0, 27)

interface Named {
  tenantId: number
  id: number
  variant: string
}
const named = ({ tenantId, id, variant }: Named, expires: number) => `${tenantId}/${id}/${variant}/${expires}`

/** Path of a file for whoever was shown it. */
export function mediaPath(file: Named): string {
  const expires = Math.ceil(now() / 1000 / HOUR) * HOUR + DAY
  const signature = sign(keys[0]!, named(file, expires))
  return `/media/${file.tenantId.toString(36)}/${file.id}/${file.variant}?expires=${expires}&signature=${signature}`
}

/** Whether an address was made here for this very file, and how many seconds it still serves; undefined when not. */
export function secondsLeft(file: Named, expires: number, signature: string): number | undefined {
  const left = Math.floor(expires - now() / 1000)
  if (!Number.isSafeInteger(expires) || left <= 0) return undefined
  const given = Buffer.from(signature)
  const isOurs = keys.some((key) => {
    const own = Buffer.from(sign(key, named(file, expires)))
    return own.length === given.length && timingSafeEqual(own, given)
  })
  return isOurs ? left : undefined
}
