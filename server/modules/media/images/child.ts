/** A process of its own that decodes what strangers made: it may crash, hang or eat memory, and is ended then. */
import { join } from 'node:path'
import sharp from 'sharp'
import type { Reduced, Wanted } from './reduce.ts'

/** Larger pictures are refused before they are decoded: a small file can unfold to gigabytes. */
const MOST_PIXELS = 24_000_000
const WIDTHS = [320, 960, 1920, 3840]

sharp.cache(false)
sharp.concurrency(1)

async function reduce({ path, directory }: Wanted): Promise<Reduced[]> {
  const open = () => sharp(path, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
  const { autoOrient } = await open().metadata()
  const widths = [...new Set(WIDTHS.map((width) => Math.min(width, autoOrient.width)))]
  const variants: Reduced[] = []
  for (const width of widths) {
    const name = `w${width}`
    const file = join(directory, `${name}.webp`)
    // Turned as the camera says, then without anything that the camera said: place, time, owner.
    const { height, size } = await open().autoOrient().resize({ width }).webp({ quality: 80 }).toFile(file)
    variants.push({ name, type: 'image/webp', width, height, size_bytes: size, file })
  }
  return variants
}

process.once('message', (wanted) => {
  reduce(wanted as Wanted).then(
    (variants) => process.send!({ variants }),
    (error: Error) => process.send!({ failure: /pixel limit/i.test(error.message) ? 'pixels' : 'format' }),
  )
})
