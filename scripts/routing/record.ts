/** Notes every statement that the one door to PostgreSQL prepares while tests run: what they ask themselves goes past it. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'

interface Wire {
  parse(message: { name: string; text: string }): void
  isNoted?: boolean
}
const wire = (pg as unknown as { Connection: { prototype: Wire } }).Connection.prototype
// Files follow one another in one process.
if (!wire.isNoted) {
  const [file, seen, parse] = [join(inject('statements')!, `${process.pid}.jsonl`), new Set<string>(), wire.parse]
  wire.isNoted = true
  wire.parse = function (this: Wire, message) {
    if (message.name?.startsWith('sq_') && !seen.has(message.text)) {
      seen.add(message.text)
      appendFileSync(file, `${JSON.stringify(message.text)}\n`)
    }
    parse.call(this, message)
  }
}
