import type { Readable } from 'node:stream'

/** Where files are: names in, bytes out. */
export interface Storage {
  /** Takes a finished file; the one at `path` may be gone afterwards. */
  put(key: string, path: string, type: string): Promise<void>
  /** Bytes of a file, from the first to the last one asked for, both included. */
  read(key: string, range?: readonly [number, number]): Promise<Readable>
  /** Does nothing where there is none. */
  remove(key: string): Promise<void>
}
