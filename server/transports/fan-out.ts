import { once } from 'node:events'
import { writeSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import type { Encode } from './frame.ts'

/** A consumer that has this many bytes unread is cut: it resumes from its offset instead of filling memory. */
export const MAX_BUFFERED_BYTES = 1_048_576

/** One unmasked text frame as a server sends it (RFC 6455 §5.2). */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(headerLength + length)
  frame[0] = 0x81
  if (headerLength === 2) frame[1] = length
  else if (headerLength === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, headerLength)
  return frame
}
/** A frame as WebSockets are sent it. */
export const webSocketBytes: Encode = (frame) => textFrame(frame.json)
/** A frame as a Server-Sent Event (HTML §9.2): its id is where the client stands, so that browsers come back with it. */
export const serverSentBytes: Encode = ({ json, place }) =>
  Buffer.from(`${place ? `id: ${place.epoch}:${place.offset}\n` : ''}data: ${json}\n\n`)

export const PING_FRAME: Buffer = Buffer.from([0x89, 0])

interface Handle {
  fd?: number
}
type Socket = Duplex & { _handle?: Handle | null; encrypted?: boolean }

/**
 * The socket's descriptor while nothing is queued before us, or -1. It is read anew for every write: once the handle
 * closes, its number may already belong to another connection.
 */
function idleDescriptor(socket: Socket): number {
  if (socket.writableLength !== 0 || socket.encrypted) return -1
  return socket._handle?.fd ?? -1
}

/**
 * Sends a complete frame. An idle plain socket is written directly: the stream machinery costs more than the system
 * call (hot-path measurement: 0.67 → 0.95 of a bare write loop). What the kernel does not take at once goes through the
 * stream, in order. False when the consumer is gone or was cut for not reading.
 */
export function deliver(socket: Duplex, frame: Buffer, maxBufferedBytes = MAX_BUFFERED_BYTES): boolean {
  if (socket.destroyed || !socket.writable) return false
  // One that is larger than the limit, such as a snapshot, may still be sent to who has read everything.
  if (socket.writableLength > 0 && socket.writableLength + frame.length > maxBufferedBytes) {
    socket.destroy()
    return false
  }
  const descriptor = idleDescriptor(socket)
  let rest = frame
  if (descriptor >= 0) {
    try {
      const written = writeSync(descriptor, frame)
      if (written === frame.length) return true
      rest = frame.subarray(written)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        socket.destroy()
        return false
      }
    }
  }
  socket.write(rest)
  return true
}

/** Resolves when the stream has taken what was written; false when it closed or took longer than `withinMs`. */
export async function drained(socket: Duplex, withinMs: number): Promise<boolean> {
  if (!socket.writableNeedDrain) return !socket.destroyed
  try {
    await once(socket, 'drain', { signal: AbortSignal.any([AbortSignal.timeout(withinMs), closed(socket)]) })
    return true
  } catch {
    return false
  }
}
function closed(socket: Duplex): AbortSignal {
  const controller = new AbortController()
  socket.once('close', () => controller.abort())
  return controller.signal
}
