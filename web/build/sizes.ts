import { brotliCompressSync, constants } from 'node:zlib'
import type { Budget } from './apps.ts'

/** What a browser loads before the first screen, by kind, in brotli bytes (fonts are compressed by themselves). */
export interface Sizes {
  js: number
  css: number
  fonts: { latin: number; arabic: number }
}

export const brotli = (bytes: Buffer): Buffer =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })

/** Sizes beyond their budget, one line each: by how much. */
export function overBudget(app: string, sizes: Sizes, budget: Budget): string[] {
  const pairs: [string, number, number][] = [
    ['JavaScript', sizes.js, budget.js],
    ['CSS', sizes.css, budget.css],
    ['fonts', sizes.fonts.latin, budget.fonts.latin],
    ['fonts in Arabic', sizes.fonts.arabic, budget.fonts.arabic],
  ]
  return pairs
    .filter(([, size, limit]) => size > limit)
    .map(([kind, size, limit]) => `${app}: ${kind} is ${size} bytes, ${size - limit} more than its budget of ${limit}`)
}
