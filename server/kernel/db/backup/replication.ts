import pg from 'pg'
import { Hosts } from '../hosts.ts'

/** A connection that speaks the replication protocol. @param url a direct connection of a superuser or a login with REPLICATION */
export async function connectReplication(url: string): Promise<pg.Client> {
  const config = {
    connectionString: Hosts.of(url).current(url),
    application_name: 'smartqueue backup',
    replication: 'true',
  }
  const client = new pg.Client(config as pg.ClientConfig)
  client.on('error', () => {})
  await client.connect()
  return client
}

/** What pg's types leave out of its connection. */
export interface ReplicationWire {
  stream: { pause(): void; resume(): void; destroy(): void }
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  on(event: 'copyDone', listener: () => void): void
}
export const wireOf = (client: pg.Client): ReplicationWire => client.connection as unknown as ReplicationWire

/**
 * Sends a command that answers with copy data, of which `take` gets every message. The promise of `take`, if any, is
 * waited for before more is read. Resolves with the rows that came before and after.
 */
export async function streamCommand(
  client: pg.Client,
  text: string,
  take: (message: Buffer) => Promise<void> | undefined,
): Promise<(string | null)[][]> {
  const wire = wireOf(client)
  const rows: (string | null)[][] = []
  return new Promise((resolve, reject) => {
    const command = {
      submit(): null {
        wire.query(text)
        return null
      },
      handleRowDescription() {},
      handleDataRow(message: { fields: (Buffer | string | null)[] }) {
        rows.push(message.fields.map((field) => (field === null ? null : String(field))))
      },
      handleCopyData({ chunk }: { chunk: Buffer }) {
        const wait = take(chunk)
        if (!wait) return
        wire.stream.pause()
        wait.then(
          () => wire.stream.resume(),
          (error: unknown) => {
            reject(error as Error)
            wire.stream.destroy()
          },
        )
      },
      handleCommandComplete() {},
      handleReadyForQuery: () => resolve(rows),
      handleError: reject,
    }
    client.query(command as unknown as pg.Submittable)
  })
}

/** Bytes since the beginning of the log, from `16/B374D848`. */
export function bytesOf(lsn: string): bigint {
  const [high = '', low = ''] = lsn.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
export const lsnOf = (bytes: bigint): string =>
  `${(bytes >> 32n).toString(16)}/${(bytes & 0xffffffffn).toString(16)}`.toUpperCase()

/** Name of the file that holds a byte of the log. */
export function segmentOf(bytes: bigint, timeline: number, segmentBytes: number): string {
  const size = BigInt(segmentBytes)
  const number = bytes / size
  const each = 0x100000000n / size
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0')
  return hex(BigInt(timeline)) + hex(number / each) + hex(number % each)
}
/** The first byte of a segment, and its timeline. */
export function startOf(segment: string, segmentBytes: number): { timeline: number; bytes: bigint } {
  const part = (i: number) => BigInt(`0x${segment.slice(i * 8, i * 8 + 8)}`)
  const size = BigInt(segmentBytes)
  return { timeline: Number(part(0)), bytes: (part(1) * (0x100000000n / size) + part(2)) * size }
}
