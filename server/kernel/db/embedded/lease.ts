import { spawnSync } from 'node:child_process'
import { chownSync, closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './account.ts'

/**
 * Who still needs the server, counted by the kernel: every process that uses it holds one named pipe open for writing,
 * and a reader of the pipe sees its end when the last of them has closed it or died, however it died.
 */
export class Lease {
  #path: string
  #fd: number

  constructor({ path, account }: Home) {
    this.#path = join(path, 'lease')
    if (!existsSync(this.#path)) {
      const { status, stderr } = spawnSync('/bin/sh', ['-c', 'mkfifo -m 600 "$1"', 'sh', this.#path], {
        encoding: 'utf8',
      })
      if (status !== 0 && !existsSync(this.#path)) throw new Error(`cannot make ${this.#path}: ${stderr}`)
    }
    // Made by root, it must still open for the cluster's user.
    if (account) chownSync(this.#path, account.uid, account.gid)
    // Opened for both: opening only for writing would wait for a reader.
    this.#fd = openSync(this.#path, constants.O_RDWR | constants.O_NONBLOCK)
  }

  /** A descriptor whose reads end when nobody holds the lease. */
  openReader(): number {
    return openSync(this.#path, constants.O_RDONLY)
  }

  /** Gives the lease back. Returns true if nobody else holds one. */
  release(): boolean {
    const reader = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK)
    closeSync(this.#fd)
    try {
      return readSync(reader, new Uint8Array(1)) === 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
      throw error
    } finally {
      closeSync(reader)
    }
  }
}
