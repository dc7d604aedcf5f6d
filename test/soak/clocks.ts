import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

/** Wall clocks of several processes, each to be set while they run. Durations (the monotonic clock) stay true. */
export class Clocks<Name extends string> {
  #directory: string

  /** @param directory that everybody may read @throws Error where libfaketime is missing */
  constructor(directory: string, names: readonly Name[]) {
    if (!existsSync(LIBRARY)) throw new Error('clocks cannot be set: apt-get install libfaketime')
    this.#directory = directory
    for (const name of names) this.set({ [name]: 0 } as Record<Name, number>)
  }

  /** Of a process whose clock it is. */
  environment(name: Name): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file(name),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Seconds by which clocks are ahead of the true one, from this moment. */
  set(ahead: Partial<Record<Name, number>>): void {
    for (const [name, seconds] of Object.entries(ahead) as [Name, number][]) {
      const draft = `${this.#file(name)}.new`
      writeFileSync(draft, `${seconds < 0 ? '' : '+'}${seconds}\n`, { mode: 0o644 })
      renameSync(draft, this.#file(name))
    }
  }

  #file(name: Name): string {
    return join(this.#directory, `clock-${name}`)
  }
}
