import type { MessageChannel } from '../vocabulary.ts'

/** The basic table of GSM 03.38 and the signs that are sent as two (after ESC). */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const EXTENDED = new Set('\f^{}\\[~]|€')

/** How a text travels: what a provider counts and charges. */
export interface Segments {
  encoding: 'gsm7' | 'ucs2' | 'utf8'
  /** Septets of GSM-7, UTF-16 units of UCS-2, characters of the other channels. */
  units: number
  segments: number
}

/**
 * Segments of a short message (3GPP TS 23.038, 23.040): 160 septets alone or 153 each in several; one sign outside the
 * alphabet makes it 70 or 67 UTF-16 units. A sign of two units is never cut in half.
 */
export function smsSegments(text: string): Segments {
  const signs = Array.from(text)
  const isGsm = signs.every((sign) => BASIC.has(sign) || EXTENDED.has(sign))
  const sizes = signs.map((sign) => (isGsm ? (EXTENDED.has(sign) ? 2 : 1) : sign.length))
  const units = sizes.reduce((sum, size) => sum + size, 0)
  const [alone, each] = isGsm ? [160, 153] : [70, 67]
  const encoding = isGsm ? 'gsm7' : 'ucs2'
  if (units <= alone) return { encoding, units, segments: 1 }
  let segments = 1
  let used = 0
  for (const size of sizes) {
    if (used + size > each) {
      segments++
      used = 0
    }
    used += size
  }
  return { encoding, units, segments }
}

/** The other channels carry a text as one, whatever its length. */
export function segmentsOf(channel: MessageChannel, text: string): Segments {
  return channel === 'sms' ? smsSegments(text) : { encoding: 'utf8', units: Array.from(text).length, segments: 1 }
}
