import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { deliver, MAX_BUFFERED_BYTES } from './fan-out.ts'

const STALLED = 200
const FRAME = Buffer.alloc(8192, 120)

/** Sockets whose other side never reads, and one that does. */
async function audience() {
  const listener = createServer({ noDelay: true, highWaterMark: 16_384 }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const clients: Socket[] = []
  const open = async () => {
    const client = connect(port, '127.0.0.1')
    client.on('error', () => {})
    const [server] = (await once(listener, 'connection')) as [Socket]
    server.on('error', () => {})
    clients.push(client)
    return { client, server }
  }
  const stalled: Socket[] = []
  for (let i = 0; i < STALLED; i++) {
    const { client, server } = await open()
    client.pause()
    stalled.push(server)
  }
  const healthy = await open()
  return {
    stalled,
    healthy,
    close() {
      for (const socket of [...clients, ...stalled, healthy.server]) socket.destroy()
      listener.close()
    },
  }
}
/** Writes up to `most` frames to all; answers the largest backlog and what stalled sockets held at once, in bytes. */
async function flood(most: number, cap: number) {
  const { stalled, healthy, close } = await audience()
  let received = 0
  healthy.client.on('data', (chunk: Buffer) => (received += chunk.length))
  let largest = 0
  let held = 0
  let sent = 0
  for (; sent < most && stalled.some((socket) => !socket.destroyed); sent++) {
    for (const socket of stalled) deliver(socket, FRAME, cap)
    deliver(healthy.server, FRAME, cap)
    const backlogs = stalled.map(({ destroyed, writableLength }) => (destroyed ? 0 : writableLength))
    largest = Math.max(largest, ...backlogs)
    held = Math.max(
      held,
      backlogs.reduce((sum, backlog) => sum + backlog, 0),
    )
    // The healthy one reads meanwhile.
    await expect.poll(() => received, { interval: 1 }).toBe((sent + 1) * FRAME.length)
  }
  const cut = stalled.filter(({ destroyed }) => destroyed).length
  close()
  return { largest, held, sent, cut, received }
}

test(`${STALLED} consumers that never read hold at most a megabyte each and are cut; who reads misses nothing`, async () => {
  const { largest, held, cut, sent, received } = await flood(2000, MAX_BUFFERED_BYTES)
  expect(cut).toBe(STALLED)
  expect(largest).toBeLessThanOrEqual(MAX_BUFFERED_BYTES)
  expect(held).toBeLessThanOrEqual(STALLED * MAX_BUFFERED_BYTES)
  expect(received).toBe(sent * FRAME.length)
}, 180_000)

test('control: without a cap the backlog grows past it and nobody is cut', async () => {
  const { largest, cut } = await flood(1000, Infinity)
  expect(cut).toBe(0)
  expect(largest).toBeGreaterThan(MAX_BUFFERED_BYTES)
}, 180_000)
