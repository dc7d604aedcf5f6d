import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { startApp } from '../test/app.ts'

// Written from docs/realtime.md alone: nothing of the product's own client or reducers is used.
const server = await startApp()
const { app, aTenant, as, tokenOf } = server
const base = await server.listen()
const t = await aTenant({ slug: 'live', queues: 2, agents: 1 })
const [queue, second] = t.queues.map(({ id }) => id) as [number, number]

interface Row {
  id: number
  rank: number
  status: string
  queue_id: number
}
interface Frame {
  type: string
  epoch?: string
  offset: number
  after: number
  waiting?: Row[]
  called?: Row[]
  ticket?: Row
}

/** "Write a client", step by step. */
class PlainClient {
  waiting: number[] = []
  called: number[] = []
  readonly log: string[] = []
  #rows = new Map<number, Row>()
  #position: { epoch: string; offset: number } | null = null
  #socket: WebSocket | null = null
  #isOver = false
  #wait = 20

  constructor() {
    void this.#connect()
  }
  async #connect() {
    if (this.#isOver) return
    const { ticket } = (
      await app.inject({ method: 'POST', url: '/api/v1/auth/ws-ticket/', headers: as(t.admin), payload: {} })
    ).json<{ ticket: string }>()
    const position = this.#position ? `&epoch=${this.#position.epoch}&since=${this.#position.offset}` : ''
    const url = `${base.replace('http', 'ws')}/ws/tenants/live/queues/${queue}/?ticket=${ticket}${position}`
    if (this.#isOver) return
    const socket = (this.#socket = new WebSocket(url))
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Frame))
    socket.on('error', () => {})
    socket.on('close', () => {
      if (!this.#isOver) setTimeout(() => void this.#connect(), this.#wait * (0.5 + Math.random() / 2))
    })
  }
  #take(frame: Frame) {
    this.log.push(frame.type)
    if (frame.type === 'ping' || frame.type === 'resync') return
    if (frame.type === 'snapshot') {
      this.#position = { epoch: frame.epoch!, offset: frame.offset }
      this.#rows = new Map([...frame.waiting!, ...frame.called!].map((row) => [row.id, row]))
      return this.#show()
    }
    if (frame.offset <= this.#position!.offset) return
    if (frame.after > this.#position!.offset || (frame.epoch && frame.epoch !== this.#position!.epoch)) {
      this.log.push('GAP')
      this.#position = null
      return this.#socket!.terminate()
    }
    this.#position!.offset = frame.offset
    if (frame.ticket) this.#rows.set(frame.ticket.id, frame.ticket)
    this.#show()
  }
  #show() {
    const own = [...this.#rows.values()].filter((row) => row.queue_id === queue)
    this.waiting = own
      .filter(({ status }) => status === 'en_attente')
      .sort((a, b) => a.rank - b.rank || a.id - b.id)
      .map(({ id }) => id)
    this.called = own.filter(({ status }) => ['appelé', 'en_service'].includes(status)).map(({ id }) => id)
  }
  lose() {
    this.#socket?.terminate()
  }
  close() {
    this.#isOver = true
    this.#socket?.terminate()
  }
}

const post = async (url: string, payload: object = {}) =>
  (await app.inject({ method: 'POST', url: `/api/v1/tenants/live${url}`, headers: as(t.admin), payload })).json<any>()

test('a client written from the documentation follows a busy queue through a bad network', async () => {
  const client = new PlainClient()
  const taken: number[] = []
  for (let i = 0; i < 60; i++) {
    taken.push((await post('/tickets/', { queue_id: i % 5 ? queue : second, channel: 'reception' })).id)
    const some = taken[Math.floor(i / 3)]
    if (i % 4 === 1) await post(`/agents/${t.agents[0]!.id}/call-next/`)
    if (i % 4 === 2) await post(`/tickets/${some}/cancel/`)
    if (i % 7 === 3) await post(`/tickets/${some}/transfer/`, { queue_id: i % 2 ? queue : second })
    if (i % 4 === 3 && client.called[0]) {
      await post(`/tickets/${client.called[0]}/start/`)
      await post(`/tickets/${client.called[0]}/complete/`)
    }
    if (i % 6 === 5) client.lose()
  }
  const board = async () =>
    (await app.inject({ url: `/api/v1/tenants/live/queues/${queue}/board/`, headers: as(t.admin) })).json<{
      waiting: Row[]
      called: Row[]
    }>()
  const { waiting, called } = await board()
  await expect
    .poll(() => [client.waiting, client.called.toSorted()])
    .toEqual([waiting.map(({ id }) => id), called.map(({ id }) => id).toSorted()])
  expect(client.log.filter((type) => type === 'snapshot')).toHaveLength(1)
  expect(client.log).not.toContain('GAP')
  expect(client.log).not.toContain('resync')
  client.close()
})

test('and a curl of the event stream shows the same', async () => {
  const ending = new AbortController()
  const answer = await fetch(`${base}/sse/tenants/live/queues/${queue}/`, {
    headers: { authorization: `Bearer ${tokenOf(t.admin)}` },
    signal: ending.signal,
  })
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes('"type":"snapshot"') && text.endsWith('\n\n')) break
  }
  ending.abort()
  expect(text).toMatch(/^retry: \d+\n\nid: [\w-]+:\d+\ndata: \{"type":"snapshot",.*\}\n\n$/)
})
