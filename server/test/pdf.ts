import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Pages as a printer sees them: grey pixels, by poppler. */
export function pagesOfPdf(pdf: Buffer): { width: number; height: number; rgba: Uint8ClampedArray }[] {
  const folder = mkdtempSync(join(tmpdir(), 'poster-'))
  try {
    writeFileSync(join(folder, 'poster.pdf'), pdf)
    execFileSync('pdftoppm', ['-r', '60', '-gray', join(folder, 'poster.pdf'), join(folder, 'page')])
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pgm'))
      .toSorted()
      .map((name) => {
        const bytes = readFileSync(join(folder, name))
        const head = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 40).toString('latin1'))!
        const grey = bytes.subarray(head[0].length)
        const rgba = new Uint8ClampedArray(grey.length * 4)
        for (const [i, value] of grey.entries()) rgba.set([value, value, value, 255], i * 4)
        return { width: Number(head[1]), height: Number(head[2]), rgba }
      })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
