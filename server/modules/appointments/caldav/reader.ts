import { fork, type ChildProcess } from 'node:child_process'
import type { ReadEvent, readEvent } from './ics.ts'
import type { readMultistatus } from './xml.ts'

export type Question =
  | { kind: 'multistatus'; asked: Parameters<typeof readMultistatus> }
  | { kind: 'event'; asked: Parameters<typeof readEvent> }
export type Answer = { found: unknown } | { failure: string }

/** A rule that is asked for the 30th of February looks for it for ever. */
export const patience = { milliseconds: 10_000 }

/** It took too long to read, or all memory there was for it. */
export class Endless extends Error {}

let child: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/** As `readMultistatus`. @throws Error, Endless */
export const multistatusOf = (...asked: Parameters<typeof readMultistatus>) =>
  inTurn({ kind: 'multistatus', asked }) as Promise<ReturnType<typeof readMultistatus>>
/** As `readEvent`. @throws Error, Endless */
export const eventOf = (...asked: Parameters<typeof readEvent>) =>
  inTurn({ kind: 'event', asked }) as Promise<ReadEvent>

/**
 * What a calendar of somebody's choice answers is read in a process of its own, one answer at a time: what never ends
 * there is ended from here, and whoever stands at a counter does not notice.
 */
function inTurn(question: Question): Promise<unknown> {
  const turn = last.then(() => ask(question))
  last = turn.catch(() => {})
  return turn
}

async function ask(question: Question): Promise<unknown> {
  const reader = (child ??= start())
  reader.ref()
  reader.channel!.ref()
  let timer: NodeJS.Timeout | undefined
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const end = (cause?: unknown) => {
        if (child === reader) child = undefined
        reject(new Endless('no answer', { cause }))
      }
      timer = setTimeout(end, patience.milliseconds)
      reader.once('exit', end)
      reader.once('error', end)
      reader.once('message', (told) => resolve(told as Answer))
      reader.send(question, (error) => error && end(error))
    })
    if ('failure' in answer) throw new Error(answer.failure)
    return answer.found
  } finally {
    clearTimeout(timer)
    reader.removeAllListeners()
    if (child === reader) rest(reader)
    else reader.kill('SIGKILL')
  }
}

function start(): ChildProcess {
  return fork(new URL('child.ts', import.meta.url), {
    env: {},
    execArgv: ['--max-old-space-size=256'],
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
