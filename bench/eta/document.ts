import { readFileSync, writeFileSync } from 'node:fs'

const DOCUMENT = new URL('../../docs/wait-times.md', import.meta.url)

/** Puts the tables where docs/wait-times.md shows its results. */
export function document(tables: string): void {
  const text = readFileSync(DOCUMENT, 'utf8')
  const written = text.replace(
    /(<!-- results: .*-->\n)[^]*(<!-- \/results -->)/,
    (_, begin: string, end: string) => `${begin}${tables}\n${end}`,
  )
  if (!text.includes('<!-- /results -->')) throw new Error('docs/wait-times.md has lost its markers')
  writeFileSync(DOCUMENT, written)
}
