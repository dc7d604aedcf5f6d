/** ESC/POS, as Epson's manual has it and nearly every receipt printer since. */
const [DLE, EOT, ESC, GS] = [0x10, 0x04, 0x1b, 0x1d] as const

/** Rows that travel in one command: some printers hold no more. Bands follow each other without a gap. */
const BAND_ROWS = 256

/** One dot a bit, rows from the top, the leftmost dot in the highest bit; `width` is a multiple of eight. */
export interface Bitmap {
  width: number
  height: number
  bytes: Uint8Array
}

/** The picture by the raster command (GS v 0), then the paper is moved on and cut. */
export function rasterJob({ width, height, bytes }: Bitmap): Uint8Array {
  const rowBytes = width / 8
  const parts: Uint8Array[] = []
  for (let row = 0; row < height; row += BAND_ROWS) {
    const rows = Math.min(BAND_ROWS, height - row)
    parts.push(
      Uint8Array.of(GS, 0x76, 0x30, 0, rowBytes & 255, rowBytes >> 8, rows & 255, rows >> 8),
      bytes.subarray(row * rowBytes, (row + rows) * rowBytes),
    )
  }
  // Four lines past the knife, a partial cut.
  parts.push(Uint8Array.of(ESC, 0x64, 4, GS, 0x56, 0x42, 0))
  const job = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    job.set(part, at)
    at += part.length
  }
  return job
}

/** Forgets whatever was half printed before. */
export const RESET = Uint8Array.of(ESC, 0x40)
/** Asks in real time, past what is printed: why it is offline, then how the paper is. One byte comes back for each. */
export const ASK_CAUSE = Uint8Array.of(DLE, EOT, 2)
export const ASK_PAPER = Uint8Array.of(DLE, EOT, 4)

export type PaperState = 'ok' | 'low' | 'out'
/** Bits that every answer has, so that an echo or noise is not taken for one. */
const isStatus = (byte: number) => (byte & 0x93) === 0x12
/** What the answer to ASK_PAPER says; undefined when it is none. */
export function paperOf(byte: number): PaperState | undefined {
  if (!isStatus(byte)) return undefined
  return byte & 0x60 ? 'out' : byte & 0x0c ? 'low' : 'ok'
}
/** Whether the answer to ASK_CAUSE tells of an open cover or an error, such as a jam. */
export const isStuck = (byte: number): boolean => isStatus(byte) && (byte & 0x44) !== 0
