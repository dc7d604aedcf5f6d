import { fork } from 'node:child_process'
import { AppError, invalid } from '../../../kernel/errors.ts'

export interface Wanted {
  path: string
  /** Where the smaller ones go. */
  directory: string
}
export interface Reduced {
  name: string
  type: string
  width: number
  height: number
  size_bytes: number
  file: string
}

const WITHIN_MS = 20_000
/** Decoded side by side; the rest waits. */
const AT_ONCE = 2
let running = 0
const queue: (() => void)[] = []

/** A picture anew, in several widths. @throws AppError invalid_input `format` at `/file`, too_large */
export async function reduce(wanted: Wanted): Promise<Reduced[]> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve))
  running++
  try {
    return await inChild(wanted)
  } finally {
    running--
    queue.shift()?.()
  }
}

function inChild(wanted: Wanted): Promise<Reduced[]> {
  const child = fork(new URL('child.ts', import.meta.url), {
    env: {},
    execArgv: ['--max-old-space-size=64'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise<Reduced[]>((resolve, reject) => {
    const timer = setTimeout(() => reject(invalid('/file', 'format')), WITHIN_MS)
    const end = () => reject(invalid('/file', 'format'))
    child.once('error', end)
    child.once('exit', end)
    child.once('message', (answer) => {
      const { variants, failure } = answer as { variants?: Reduced[]; failure?: string }
      if (variants) resolve(variants)
      else reject(failure === 'pixels' ? new AppError('too_large', 'payload_too_large') : invalid('/file', 'format'))
    })
    child.once('exit', () => clearTimeout(timer))
    child.send(wanted)
  }).finally(() => child.kill('SIGKILL'))
}
