import jsqr from 'jsqr'
import type { Page } from 'playwright-core'

/** Its types tell of an ES module; what is there is the function itself. */
const decode = jsqr as unknown as typeof jsqr.default

/** What a telephone reads from the QR code as it is seen on this page; nothing when it reads nothing. */
export async function decodedQr(page: Page): Promise<string | undefined> {
  const picture = (await page.locator('.qr').screenshot()).toString('base64')
  // Pixels by a page of its own: the one that is looked at lets no foreign script in.
  const darkroom = await page.context().newPage()
  const { width, height, data } = await darkroom.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    // Six pixels a dot are plenty, and few of them travel.
    const drawing = new OffscreenCanvas(240, 240).getContext('2d')!
    drawing.drawImage(bitmap, 0, 0, 240, 240)
    const image = drawing.getImageData(0, 0, 240, 240)
    return { width: image.width, height: image.height, data: Array.from(image.data) }
  }, picture)
  await darkroom.close()
  return decode(Uint8ClampedArray.from(data), width, height)?.data
}
