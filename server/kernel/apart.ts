import { fork, type ChildProcess } from 'node:child_process'
import { setPriority } from 'node:os'
import { AppError } from './errors.ts'

/** It took too long, or all the memory there was for it. */
export class Endless extends Error {}

/** Whoever comes when so many wait is refused: what is asked apart is asked by few. */
const MOST_WAITING = 20
const NICENESS = 10

type Answer = { found: unknown } | { failure: string }

export interface Apart<Question, Found> {
  /** @throws Endless; Error with what the other side says; AppError unavailable `overloaded` */
  ask(question: Question): Promise<Found>
  /** How long one question may take; after that the process that works on it is ended. */
  patience: { milliseconds: number }
}

/**
 * Work that somebody else decides the length of, in a process of its own, one question at a time: what never ends there is
 * ended from here, and whoever stands at a counter does not notice. The process gets no environment, so it holds no secret.
 */
export function apart<Question extends object, Found>(
  program: URL,
  options: { patienceMs: number; memoryMb: number },
): Apart<Question, Found> {
  const patience = { milliseconds: options.patienceMs }
  let child: ChildProcess | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  function start(): ChildProcess {
    return fork(program, {
      env: {},
      execArgv: [`--max-old-space-size=${options.memoryMb}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
  }
  /** An idle child does not keep the program from ending; one that dies meanwhile is replaced. */
  function rest(idle: ChildProcess): void {
    idle.once('exit', () => {
      if (child === idle) child = undefined
    })
    idle.once('error', () => {})
    idle.unref()
    idle.channel?.unref()
  }
  async function work(question: Question): Promise<Found> {
    const worker = (child ??= start())
    worker.ref()
    worker.channel!.ref()
    let timer: NodeJS.Timeout | undefined
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        const end = (cause?: unknown) => {
          if (child === worker) child = undefined
          reject(new Endless('no answer', { cause }))
        }
        timer = setTimeout(end, patience.milliseconds)
        worker.once('exit', end)
        worker.once('error', end)
        worker.once('message', (told) => resolve(told as Answer))
        worker.send(question, (error) => error && end(error))
      })
      if ('failure' in answer) throw new Error(answer.failure)
      return answer.found as Found
    } finally {
      clearTimeout(timer)
      worker.removeAllListeners()
      if (child === worker) rest(worker)
      else worker.kill('SIGKILL')
    }
  }
  return {
    patience,
    async ask(question) {
      if (waiting >= MOST_WAITING) throw new AppError('unavailable', 'overloaded', { retryAfterSeconds: 5 })
      waiting++
      const turn = last.then(() => work(question))
      last = turn.catch(() => {})
      return turn.finally(() => waiting--)
    },
  }
}

/** The other side: answers with what `work` finds. */
export function answerApart<Question>(work: (question: Question) => unknown): void {
  try {
    setPriority(NICENESS)
  } catch {
    // Where the system does not allow it, the work is merely as fast as everything else.
  }
  // The terminal's Ctrl-C reaches children too; this one ends with its parent.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit())
  process.on('message', (question: Question) => {
    void Promise.try(() => work(question)).then(
      (found) => process.send!({ found } satisfies Answer, undefined, {}, () => {}),
      (error: unknown) => process.send!({ failure: String(error) } satisfies Answer, undefined, {}, () => {}),
    )
  })
}
