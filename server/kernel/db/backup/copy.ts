import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type pg from 'pg'

/** The parts of pg's connection that its types leave out. */
interface CopyWire {
  stream: Duplex
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
  on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void
  on(event: 'replicationStart' | 'copyDone', listener: () => void): void
}

/** What pg asks of something that is sent as a query. */
class Command {
  protected wire!: CopyWire
  #text: string
  #settle: (error: Error | null, tag: string) => void
  #tag = ''

  constructor(text: string, settle: (error: Error | null, tag: string) => void) {
    this.#text = text
    this.#settle = settle
  }
  submit(wire: CopyWire): null {
    this.wire = wire
    wire.query(this.#text)
    return null
  }
  handleRowDescription(): void {}
  handleDataRow(_message: { fields: (string | null)[] }): void {}
  handleCopyData(_message: { chunk: Buffer }): void {}
  handleCopyInResponse(wire: CopyWire): void {
    wire.sendCopyFail('nothing to send')
  }
  handleCommandComplete({ text }: { text: string }): void {
    this.#tag = text
  }
  handleReadyForQuery(): void {
    this.#settle(null, this.#tag)
  }
  handleError(error: Error): void {
    this.#settle(error, '')
  }
}

/** The stream must not run ahead of whoever takes its blocks. */
const BLOCK_BYTES = 256 * 1024

class CopyOut extends Command {
  #take: (block: Buffer) => Promise<void> | undefined
  #parts: Buffer[] = []
  #size = 0

  constructor(
    text: string,
    take: (block: Buffer) => Promise<void> | undefined,
    settle: (error: Error | null, tag: string) => void,
  ) {
    super(text, settle)
    this.#take = take
  }
  override handleCopyData({ chunk }: { chunk: Buffer }): void {
    // The driver reads into one buffer again and again.
    this.#parts.push(Buffer.from(chunk))
    this.#size += chunk.length
    if (this.#size >= BLOCK_BYTES) this.#hand()
  }
  override handleCommandComplete(message: { text: string }): void {
    if (this.#size > 0) this.#hand()
    super.handleCommandComplete(message)
  }
  #hand() {
    const block = Buffer.concat(this.#parts, this.#size)
    this.#parts = []
    this.#size = 0
    const wait = this.#take(block)
    if (!wait) return
    const { stream } = this.wire
    stream.pause()
    void wait.finally(() => stream.resume())
  }
}

class CopyIn extends Command {
  #source: AsyncIterable<Buffer>

  constructor(text: string, source: AsyncIterable<Buffer>, settle: (error: Error | null, tag: string) => void) {
    super(text, settle)
    this.#source = source
  }
  override handleCopyInResponse(wire: CopyWire): void {
    void this.#pump(wire)
  }
  async #pump(wire: CopyWire) {
    try {
      for await (const chunk of this.#source) {
        wire.sendCopyFromChunk(chunk)
        if (wire.stream.writableNeedDrain) await once(wire.stream, 'drain')
      }
      wire.endCopyFrom()
    } catch (error) {
      wire.sendCopyFail(String(error))
    }
  }
}

const rowsOf = (tag: string): number => Number(/^COPY (\d+)$/.exec(tag)?.[1] ?? Number.NaN)

/**
 * `copy … to stdout`; `take` gets blocks of about 256 KiB and may answer a promise to be waited for.
 * @returns rows copied. @throws what the server says
 */
export async function copyOut(
  client: pg.Client,
  text: string,
  take: (block: Buffer) => Promise<void> | undefined,
): Promise<number> {
  return rowsOf(await run(client, (settle) => new CopyOut(text, take, settle)))
}

/** `copy … from stdin`. @returns rows stored. @throws what the server says, or what kept the source from being read */
export async function copyIn(client: pg.Client, text: string, source: AsyncIterable<Buffer>): Promise<number> {
  return rowsOf(await run(client, (settle) => new CopyIn(text, source, settle)))
}

async function run(
  client: pg.Client,
  make: (settle: (error: Error | null, tag: string) => void) => Command,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const command = make((error, tag) => (error ? reject(error) : resolve(tag)))
    client.query(command as unknown as pg.Submittable)
  })
}
