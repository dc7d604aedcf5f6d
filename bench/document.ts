import { readFileSync, writeFileSync } from 'node:fs'
import type { Machine } from './machine.ts'

const DOCUMENT = new URL('../docs/performance.md', import.meta.url)

/** Puts the tables where docs/performance.md shows its results, or those of the sockets. */
export function document(
  tables: string,
  { at, processor, cores, memoryGiB, node, postgres }: Machine,
  place: 'results' | 'realtime' = 'results',
): void {
  const text = readFileSync(DOCUMENT, 'utf8')
  const where = `${at.slice(0, 10)}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node ${node}, PostgreSQL ${postgres}`
  const results = `${where}\n\n\`\`\`text\n${tables}\n\`\`\`\n`
  const written = text.replace(
    new RegExp(`(<!-- ${place}: .*-->\\n)[^]*(<!-- /${place} -->)`),
    (_, begin: string, end: string) => begin + results + end,
  )
  if (written === text) throw new Error('docs/performance.md has lost its markers, or these results are there already')
  writeFileSync(DOCUMENT, written)
}
