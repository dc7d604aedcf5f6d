import { fork, type ChildProcess } from 'node:child_process'
import { AppError } from '../../../kernel/errors.ts'
import type { Answer, Question } from './protocol.ts'

/** A process with nothing else to do answers in a tenth of a second; when all cores are taken it may be a while. */
const PATIENCE_MS = 20_000

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

let child: ChildProcess | undefined
const waiting = new Map<number, Waiting>()
let lastId = 0

/** Argon2id of a password, in PHC format. @throws AppError unavailable `overloaded` when no answer comes */
export const hashed = async (password: string): Promise<string> => (await ask({ password })).hash!

/** Was `stored` made of this password? @throws as `hashed`; Error when `stored` is no hash */
export const verified = async (stored: string, password: string): Promise<boolean> =>
  (await ask({ password, stored })).matches!

async function ask(question: Omit<Question, 'id'>): Promise<Answer> {
  const process = (child ??= start())
  const id = ++lastId
  process.ref()
  process.channel!.ref()
  let timer: NodeJS.Timeout | undefined
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      timer = setTimeout(() => reject(overloaded()), PATIENCE_MS)
      process.send({ id, ...question } satisfies Question, (error) => error && reject(overloaded(error)))
    })
    if (answer.failure !== undefined) throw new Error(answer.failure)
    return answer
  } finally {
    clearTimeout(timer)
    waiting.delete(id)
    if (waiting.size === 0) rest(process)
  }
}

const overloaded = (cause?: unknown) => new AppError('unavailable', 'overloaded', { retryAfterSeconds: 5, cause })

function start(): ChildProcess {
  const started = fork(new URL('child.ts', import.meta.url), {
    env: {},
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  started.on('message', (answer: Answer) => waiting.get(answer.id)?.resolve(answer))
  const end = (cause?: unknown) => {
    if (child !== started) return
    // Whoever asks next gets a new one.
    child = undefined
    for (const { reject } of waiting.values()) reject(overloaded(cause))
  }
  started.on('exit', () => end())
  started.on('error', end)
  return started
}

/** An idle child does not keep the program from ending. */
function rest(idle: ChildProcess): void {
  idle.unref()
  idle.channel?.unref()
}
