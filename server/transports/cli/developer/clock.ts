import { setTimeout as sleep } from 'node:timers/promises'
import { sandboxAdvance } from '../../../../sdk/src/index.ts'
import { print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

const EVERY_MS = 2000
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `90`, `30m`, `2h`, `1d` in seconds. @throws Error for anything else */
function secondsOf(text: string): number {
  const [, amount, unit = 's'] = /^(\d+)([smhd])?$/.exec(text) ?? []
  if (amount === undefined || Number(amount) === 0) throw new Error(`${text} is no time: 90s, 30m, 2h or 1d`)
  return Number(amount) * UNITS[unit as keyof typeof UNITS]
}

/** Lets time pass in a sandbox at once. */
export async function advanceClock(time: string, flags: Kept): Promise<void> {
  const { now } = await connect(flags).client.call(sandboxAdvance, { seconds: secondsOf(time) })
  print(`the sandbox’s clock: ${now}`)
}

/** Lets a sandbox's time run so many times faster, until it is stopped. */
export async function runClock(flags: Kept & { speed: string }, signal?: AbortSignal): Promise<void> {
  const { client } = connect(flags)
  const speed = Number(flags.speed)
  if (!(speed > 1)) throw new Error('--speed is a number above 1')
  const seconds = Math.max(1, Math.round(((speed - 1) * EVERY_MS) / 1000))
  print(`the sandbox’s clock runs ${speed} times faster`)
  while (!signal?.aborted) {
    await client.call(sandboxAdvance, { seconds })
    await sleep(EVERY_MS, undefined, signal ? { signal } : {}).catch(() => {})
  }
}
