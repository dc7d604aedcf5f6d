import jsqr from 'jsqr'
import type { Page } from 'playwright-core'
import sharp from 'sharp'

/** Its types tell of an ES module; what is there is the function itself. */
const decode = jsqr as unknown as typeof jsqr.default

/** What a telephone reads from the QR code as it is seen on this page; nothing when it reads nothing. */
export async function decodedQr(page: Page): Promise<string | undefined> {
  // Six pixels a dot are plenty.
  const [width, height] = [240, 240]
  const pixels = sharp(await page.locator('.qr').screenshot()).resize(width, height, { fit: 'fill' })
  return decode(Uint8ClampedArray.from(await pixels.ensureAlpha().raw().toBuffer()), width, height)?.data
}
