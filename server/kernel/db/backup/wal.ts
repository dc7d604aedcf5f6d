import { mkdir, open, readdir, rename, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { now } from '../../clock.ts'
import { bytesOf, connectReplication, lsnOf, segmentOf, startOf, streamCommand, wireOf } from './replication.ts'

export const SEGMENT = /^[0-9A-F]{24}$/
export const PARTIAL = '.partial'
/** The server keeps what we have not confirmed under this name. */
const SLOT = 'smartqueue_wal'
/** What was received is on disk, and the server told, at most so much later. */
const SYNC_EVERY_MS = 1000
const RECONNECT_MS = 1000
/** PostgreSQL counts microseconds from 2000. */
const EPOCH_2000_MS = 946_684_800_000

export interface LogOptions {
  directory: string
  signal: AbortSignal
  /** Told when the connection was lost and is made anew. */
  onEvent?(message: string): void
}

/**
 * Keeps the log of a server in `directory` as it is written, a file a segment, until `signal`. A slot of the server's
 * keeps what was not received, so that a break leaves no hole. Follows a promotion to the new timeline.
 * @param url a direct connection of a superuser or a login with REPLICATION
 */
export async function receiveLog(url: string, { directory, signal, onEvent = () => {} }: LogOptions): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  while (!signal.aborted) {
    try {
      await receive(url, directory, signal)
    } catch (error) {
      if (signal.aborted) return
      onEvent(`the log is not received: ${String(error)}`)
      await delay(RECONNECT_MS, undefined, { signal }).catch(() => {})
    }
  }
}

async function receive(url: string, directory: string, signal: AbortSignal): Promise<void> {
  const client = await connectReplication(url)
  const wire = wireOf(client)
  const end = () => wire.stream.destroy()
  signal.addEventListener('abort', end, { once: true })
  const first = async (text: string) => Object.values((await client.query(text)).rows[0] as object) as string[]
  let log: Log | undefined
  try {
    const [, timeline = '1', position = '0/0'] = await first('IDENTIFY_SYSTEM')
    const segmentBytes = Number.parseInt((await first('SHOW wal_segment_size'))[0]!, 10) * 1024 * 1024
    await client.query(`CREATE_REPLICATION_SLOT ${SLOT} PHYSICAL RESERVE_WAL`).catch((error: unknown) => {
      if ((error as { code?: string }).code !== '42710') throw error
    })
    await keepHistory(client, directory, Number(timeline))
    const from = await nextByte(directory, segmentBytes, bytesOf(position))
    const kept = (log = new Log(directory, Number(timeline), segmentBytes, from))
    wire.on('copyDone', () => wire.endCopyFrom())
    const tell = () => wire.sendCopyFromChunk(status(kept.synced))
    const syncing = setInterval(() => void kept.sync().then(tell, end), SYNC_EVERY_MS)
    try {
      await streamCommand(
        client,
        `START_REPLICATION SLOT ${SLOT} PHYSICAL ${lsnOf(from)} TIMELINE ${timeline}`,
        (message) => {
          if (message[0] === 0x77) return kept.write(message.readBigUInt64BE(1), Buffer.from(message.subarray(25)))
          // A keepalive that wants to be answered.
          if (message[0] === 0x6b && message[17] === 1) tell()
          return undefined
        },
      )
    } finally {
      clearInterval(syncing)
    }
  } finally {
    signal.removeEventListener('abort', end)
    await log?.close().catch(() => {})
    await client.end().catch(() => {})
  }
}

function status(flushed: bigint): Buffer {
  const message = Buffer.alloc(34)
  message[0] = 0x72
  for (const at of [1, 9, 17]) message.writeBigUInt64BE(flushed, at)
  message.writeBigInt64BE(BigInt((now() - EPOCH_2000_MS) * 1000), 25)
  return message
}

/** How the timelines before the current one went. */
async function keepHistory(client: pg.Client, directory: string, timeline: number): Promise<void> {
  if (timeline === 1) return
  const { rows } = await client.query(`TIMELINE_HISTORY ${timeline}`)
  const [name, content] = Object.values(rows[0] as object) as [string, string | Buffer]
  await writeFile(join(directory, name), content, { mode: 0o600, flush: true })
}

/** Where receiving goes on: at the first segment that is not whole here, or at the server's current one. */
async function nextByte(directory: string, segmentBytes: number, current: bigint): Promise<bigint> {
  const whole = (await readdir(directory)).filter((name) => SEGMENT.test(name)).toSorted()
  const partial = (await readdir(directory)).filter((name) => name.endsWith(PARTIAL)).toSorted()
  const size = BigInt(segmentBytes)
  const starts = [
    ...whole.slice(-1).map((name) => startOf(name, segmentBytes).bytes + size),
    ...partial.slice(-1).map((name) => startOf(name, segmentBytes).bytes),
  ]
  const here = starts.toSorted((a, b) => (a < b ? 1 : -1))[0]
  return here ?? current - (current % size)
}

/** Files of one timeline. A segment is written under another name until it is whole. */
class Log {
  /** Everything before is on disk. */
  synced: bigint
  #written: bigint
  #directory: string
  #timeline: number
  #segmentBytes: number
  #file: FileHandle | undefined
  #name = ''
  #work: Promise<void> = Promise.resolve()

  constructor(directory: string, timeline: number, segmentBytes: number, from: bigint) {
    this.#directory = directory
    this.#timeline = timeline
    this.#segmentBytes = segmentBytes
    this.synced = this.#written = from
  }

  /** One after the other; a message may begin in one segment and end in the next. */
  write(at: bigint, data: Buffer): Promise<void> {
    return (this.#work = this.#work.then(() => this.#write(at, data)))
  }
  sync(): Promise<void> {
    return (this.#work = this.#work.then(() => this.#sync()))
  }
  async close(): Promise<void> {
    await this.sync().catch(() => {})
    await this.#file?.close()
    this.#file = undefined
  }

  async #write(at: bigint, data: Buffer) {
    const size = BigInt(this.#segmentBytes)
    for (let offset = 0; offset < data.length;) {
      const position = at + BigInt(offset)
      const inside = Number(position % size)
      const count = Math.min(data.length - offset, this.#segmentBytes - inside)
      const file = (this.#file ??= await this.#open(position))
      await file.write(data, offset, count, inside)
      offset += count
      this.#written = position + BigInt(count)
      if (inside + count === this.#segmentBytes) await this.#finish()
    }
  }
  async #open(position: bigint): Promise<FileHandle> {
    this.#name = join(this.#directory, segmentOf(position, this.#timeline, this.#segmentBytes))
    const file = await open(this.#name + PARTIAL, 'w+', 0o600)
    // As long as PostgreSQL expects it, whatever of it is written.
    await file.truncate(this.#segmentBytes)
    return file
  }
  async #finish() {
    await this.#sync()
    await this.#file!.close()
    this.#file = undefined
    await rename(this.#name + PARTIAL, this.#name)
  }
  async #sync() {
    if (this.#written === this.synced) return
    await this.#file?.sync()
    this.synced = this.#written
  }
}
