import { createServer, connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { deliver, MAX_BUFFERED_BYTES, PING_FRAME, textFrame } from './fan-out.ts'

async function pair(): Promise<{ server: Socket; client: Socket; close(): void }> {
  const listener = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as { port: number }).port, '127.0.0.1')
  client.on('error', () => {})
  const [server] = (await once(listener, 'connection')) as [Socket]
  server.on('error', () => {})
  return {
    server,
    client,
    close() {
      server.destroy()
      client.destroy()
      listener.close()
    },
  }
}

test.each([0, 5, 125, 126, 65_535, 65_536])('a text frame of %i bytes says its length as RFC 6455 does', (length) => {
  const frame = textFrame('x'.repeat(length))
  expect(frame[0]).toBe(0x81)
  const [header, stated] =
    length < 126 ? [2, frame[1]] : length < 65_536 ? [4, frame.readUInt16BE(2)] : [10, Number(frame.readBigUInt64BE(2))]
  expect(stated).toBe(length)
  expect(frame.length).toBe(header + length)
  expect(frame[1]! & 0x80).toBe(0)
})

test('length is counted in bytes, not characters', () => {
  expect(textFrame('appelé')[1]).toBe(7)
})

test('bytes arrive complete and in order though the kernel takes only part of a frame', async () => {
  const { server, client, close } = await pair()
  client.pause()
  const frames = Array.from({ length: 60 }, (_, i) => Buffer.alloc(16_384, i))
  // The consumer reads nothing yet: direct writes fill the kernel's buffers, then one is taken in part, then none.
  for (const frame of frames) expect(deliver(server, frame)).toBe(true)
  const received: Buffer[] = []
  let size = 0
  await new Promise<void>((resolve) => {
    client.on('data', (chunk: Buffer) => {
      received.push(chunk)
      size += chunk.length
      if (size === 60 * 16_384) resolve()
    })
    client.resume()
  })
  expect(Buffer.concat(received).equals(Buffer.concat(frames))).toBe(true)
  close()
})

test('a direct write never overtakes what the stream still holds', async () => {
  const { server, client, close } = await pair()
  client.pause()
  const first = Buffer.alloc(900_000, 1)
  const sent = Buffer.concat([first, Buffer.from('second'), Buffer.from('third')])
  server.write(first)
  deliver(server, Buffer.from('second'))
  deliver(server, Buffer.from('third'))
  const received: Buffer[] = []
  let size = 0
  await new Promise<void>((resolve) => {
    client.on('data', (chunk: Buffer) => {
      received.push(chunk)
      if ((size += chunk.length) >= sent.length) resolve()
    })
    client.resume()
  })
  expect(Buffer.concat(received).equals(sent)).toBe(true)
  close()
})

test('a consumer that does not read is cut at the limit; one that reads is not', async () => {
  const { server, client, close } = await pair()
  client.pause()
  const frame = Buffer.alloc(65_536)
  let accepted = 0
  while (deliver(server, frame) && accepted < 1000) accepted++
  expect(server.destroyed).toBe(true)
  expect(accepted).toBeLessThan(1000)
  close()

  const healthy = await pair()
  healthy.client.resume()
  for (let i = 0; i < 4 * (MAX_BUFFERED_BYTES / frame.length); i++) {
    expect(deliver(healthy.server, frame)).toBe(true)
    while (healthy.server.writableLength > 0) await turn()
  }
  expect(healthy.server.destroyed).toBe(false)
  healthy.close()
})

test('a frame that may wait behind any backlog cuts nobody', async () => {
  const { server, client, close } = await pair()
  client.pause()
  server.write(Buffer.alloc(12 * MAX_BUFFERED_BYTES))
  expect(server.writableLength).toBeGreaterThan(MAX_BUFFERED_BYTES)
  expect(deliver(server, PING_FRAME, Infinity)).toBe(true)
  expect(server.destroyed).toBe(false)
  // The control: any other frame gives up on a consumer so far behind.
  expect(deliver(server, PING_FRAME)).toBe(false)
  expect(server.destroyed).toBe(true)
  close()
})

test('nothing is written to a socket that has gone, whoever uses its descriptor now', async () => {
  const first = await pair()
  first.server.destroy()
  const second = await pair()
  expect(deliver(first.server, Buffer.from('for the first only'))).toBe(false)
  deliver(second.server, Buffer.from('ok'))
  const [chunk] = (await once(second.client, 'data')) as [Buffer]
  expect(String(chunk)).toBe('ok')
  first.close()
  second.close()
})
