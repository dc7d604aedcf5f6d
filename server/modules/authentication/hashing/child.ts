/**
 * Argon2id in a process of its own that gives way to everybody else: hashing takes a core for tens of milliseconds, and
 * whoever stands at a counter must not wait for it. One hash at a time, on the main thread. Controlled by messages from
 * `hasher.ts`; it gets no environment, so it holds no secret.
 */
import { setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { hashSync, verifySync } from '@node-rs/argon2'
import { restAfter } from './pace.ts'
import { NICENESS, OPTIONS, type Answer, type Question } from './protocol.ts'

try {
  setPriority(NICENESS)
} catch {
  // Where the system does not allow it, hashing is merely as fast as everything else.
}
// The terminal's Ctrl-C reaches children too; this one ends with its parent, after what the parent still asks.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

const questions: Question[] = []
let isBusy = false
process.on('message', (question: Question) => {
  questions.push(question)
  void work()
})
process.on('disconnect', () => process.exit())

/** Hashes what has been asked, one after the other. */
async function work(): Promise<void> {
  if (isBusy) return
  isBusy = true
  for (let question = questions.shift(); question; question = questions.shift()) {
    const rest = restAfter(() => {
      // The parent may have died meanwhile: nobody is left to tell, and `disconnect` ends this process.
      process.send!(answerTo(question), undefined, {}, () => {})
    })
    await delay(rest)
  }
  isBusy = false
}

function answerTo({ id, password, stored }: Question): Answer {
  try {
    if (stored === undefined) return { id, hash: hashSync(password, OPTIONS) }
    return { id, matches: verifySync(stored, password) }
  } catch (error) {
    return { id, failure: String(error) }
  }
}
