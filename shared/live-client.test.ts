import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import { applyEvent, type Board, concernsQueues, type LiveEvent } from './board.ts'
import { LiveClient, type LiveClientOptions, type LiveStatus, type Socket } from './live-client.ts'
import { BranchModel } from './test/branch-model.ts'

type Options = LiveClientOptions<Board, LiveEvent>
/** What the feed of queue 1 sends; a test overrides it to misbehave. */
type Serve = (socket: WebSocket, position: { epoch: string; since: number } | null) => void

let model: BranchModel
let server: WebSocketServer
let serve: Serve
let sent: number
const clients: LiveClient<Board, LiveEvent>[] = []
const requests: string[] = []

const send = (socket: WebSocket, frame: object) => socket.send(JSON.stringify(frame))
const eventsAfter = (offset: number) => model.feed((event) => concernsQueues(event, [1]), offset)
const snapshot = () => ({ type: 'snapshot', ...model.board(1) })
const arrive = () => model.act({ kind: 'arrive', a: model.tickets.length, b: 0 })
/** Sends what happened since the last call to everybody. */
function publish() {
  for (const event of eventsAfter(sent)) for (const socket of server.clients) send(socket, event)
  sent = model.offset
}

beforeEach(async () => {
  model = new BranchModel()
  sent = 0
  requests.length = 0
  serve = (socket, position) => {
    if (position) for (const event of eventsAfter(position.since)) send(socket, event)
    else send(socket, snapshot())
  }
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    requests.push(request.url!)
    const query = new URL(request.url!, 'ws://host').searchParams
    serve(socket, query.has('since') ? { epoch: query.get('epoch')!, since: Number(query.get('since')) } : null)
  })
  await once(server, 'listening')
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  for (const socket of server.clients) socket.terminate()
  server.close()
})

function follow(options: Partial<Options> = {}) {
  const { port } = server.address() as AddressInfo
  const client = new LiveClient<Board, LiveEvent>({
    address: () => ({ url: `ws://127.0.0.1:${port}/ws/?ticket=t${requests.length}`, protocols: ['smartqueue.v1'] }),
    WebSocket,
    reduce: applyEvent,
    minDelaySeconds: 0.005,
    maxDelaySeconds: 0.02,
    ...options,
  })
  clients.push(client)
  return client
}
const waiting = (client: LiveClient<Board, LiveEvent>) => client.view?.waiting.map((ticket) => ticket.id)
const until = async (check: () => unknown) => {
  await expect.poll(check, { interval: 5 }).toBe(true)
}
const upToDate = (client: LiveClient<Board, LiveEvent>) =>
  until(() => client.view?.waiting.length === model.board(1).waiting.length)

test('a snapshot, then each event once, with the view that follows from it', async () => {
  arrive()
  sent = model.offset
  const seen: [string | null, number][] = []
  const client = follow({ onChange: (board, event) => seen.push([event?.type ?? null, board.waiting.length]) })
  await upToDate(client)
  arrive()
  arrive()
  publish()
  await upToDate(client)
  expect(seen).toEqual([
    [null, 1],
    ['ticket.created', 2],
    ['ticket.created', 3],
  ])
  expect(client.status).toBe('live')
  expect(client.silentSeconds).toBeLessThan(5)
})

test('cut again and again, it misses nothing and repeats nothing', async () => {
  const offsets: number[] = []
  const client = follow({ onChange: (board) => offsets.push(board.offset) })
  await until(() => client.view !== null)
  for (let i = 0; i < 40; i++) {
    arrive()
    if (i % 3 === 0) for (const socket of server.clients) socket.terminate()
    publish()
    if (i % 7 === 0) await upToDate(client)
  }
  await upToDate(client)
  expect({ ...client.view, offset: 0 }).toEqual({ ...model.board(1), offset: 0 })
  expect(offsets).toEqual(Array.from({ length: 41 }, (_, i) => i))
  expect(requests.at(-1)).toMatch(/\?ticket=t\d+&epoch=e1&since=\d+$/)
})

test('a resync replaces the view by the snapshot that follows', async () => {
  const client = follow()
  await until(() => client.view !== null)
  serve = (socket) => {
    send(socket, { type: 'resync', reason: 'epoch' })
    send(socket, { type: 'ticket.created', offset: 99, after: 98, at: '', queue_id: 1 })
    send(socket, { ...snapshot(), epoch: 'e2', offset: 1 })
  }
  arrive()
  for (const socket of server.clients) socket.terminate()
  await until(() => client.view?.epoch === 'e2')
  expect(client.view).toMatchObject({ offset: 1, waiting: [{ id: 1 }] })
})

test.each([
  ['a hole in the chain', JSON.stringify({ type: 'ticket.created', offset: 99, after: 98, at: '', queue_id: 1 })],
  ['a frame cut in two', '{"type":"ticket.cre'],
])('%s ends in a new snapshot, not in a wrong view', async (_, frame) => {
  const client = follow()
  await until(() => client.view !== null)
  arrive()
  sent = model.offset
  for (const socket of server.clients) socket.send(frame)
  await until(() => waiting(client)?.length === 1)
  expect(client.view!.offset).toBe(model.offset)
  expect(requests.at(-1)).not.toContain('since')
})

test('coming back to a quiet feed is live though nothing is sent', async () => {
  const statuses: LiveStatus[] = []
  const client = follow({ onStatus: (status) => statuses.push(status) })
  await until(() => client.view !== null)
  for (const socket of server.clients) socket.terminate()
  await until(() => statuses.length === 3)
  expect(statuses).toEqual(['live', 'connecting', 'live'])
})

test('a server that fell silent is left, one that sends pings is kept', async () => {
  vi.useFakeTimers()
  try {
    const sockets: SilentSocket[] = []
    class SilentSocket implements Socket {
      onopen: Socket['onopen'] = null
      onmessage: Socket['onmessage'] = null
      onerror: Socket['onerror'] = null
      onclose: Socket['onclose'] = null
      isClosed = false
      constructor() {
        sockets.push(this)
      }
      close() {
        this.isClosed = true
      }
    }
    const client = follow({ WebSocket: SilentSocket, heartbeatSeconds: 5 })
    await vi.advanceTimersByTimeAsync(14_000)
    expect(sockets).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(7000)
    expect(sockets.map((socket) => socket.isClosed)).toEqual([true, false])
    for (let seconds = 0; seconds < 60; seconds += 5) {
      sockets[1]!.onmessage!({ data: '{"type":"ping"}' })
      await vi.advanceTimersByTimeAsync(5000)
    }
    expect(sockets).toHaveLength(2)
    expect(client.silentSeconds).toBe(5)
    await vi.advanceTimersByTimeAsync(15_000)
    expect(sockets).toHaveLength(3)
  } finally {
    vi.useRealTimers()
  }
})

test('pauses between attempts grow to the longest one and are never the same for all', async () => {
  vi.useFakeTimers()
  try {
    const attempts: number[] = []
    follow({
      address: () => {
        attempts.push(performance.now())
        throw new Error('no network')
      },
      minDelaySeconds: 0.5,
      maxDelaySeconds: 15,
    })
    await vi.advanceTimersByTimeAsync(300_000)
    const pauses = attempts.slice(1).map((at, i) => (at - attempts[i]!) / 1000)
    expect(
      pauses.every((pause, i) => pause > 0.24 * 2 ** Math.min(i, 4.9) && pause <= Math.min(15, 0.5 * 2 ** i) + 0.01),
    ).toBe(true)
    expect(new Set(pauses).size).toBeGreaterThan(5)
  } finally {
    vi.useRealTimers()
  }
})

test('an address that cannot be had is asked for again', async () => {
  let asked = 0
  const { port } = server.address() as AddressInfo
  const client = follow({
    address: async () => {
      if (++asked < 3) throw new Error('no token yet')
      return { url: `ws://127.0.0.1:${port}/` }
    },
  })
  await until(() => client.view !== null)
  expect(asked).toBe(3)
})

test('close is for good', async () => {
  const client = follow()
  await until(() => client.view !== null)
  client.close()
  await until(() => server.clients.size === 0)
  arrive()
  publish()
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(client.status).toBe('closed')
  expect(client.view!.waiting).toEqual([])
  expect(requests).toHaveLength(1)
})
