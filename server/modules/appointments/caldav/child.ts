/** Reads what calendars answer, one after the other, for `reader.ts`, which ends this process when it does not. */
import { setPriority } from 'node:os'
import { readEvent } from './ics.ts'
import type { Answer, Question } from './reader.ts'
import { readMultistatus } from './xml.ts'

const NICENESS = 10
try {
  setPriority(NICENESS)
} catch {
  // Where the system does not allow it, reading is merely as fast as everything else.
}
// The terminal's Ctrl-C reaches children too; this one ends with its parent.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit())
process.on('message', (question: Question) => process.send!(answerTo(question), undefined, {}, () => {}))

function answerTo(question: Question): Answer {
  try {
    return { found: question.kind === 'event' ? readEvent(...question.asked) : readMultistatus(...question.asked) }
  } catch (error) {
    return { failure: String(error) }
  }
}
