import { createServer, type Server } from 'node:net'
import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { applyEvent, type Board, type LiveEvent } from '../../shared/board.ts'
import { EventStreamSocket } from '../../shared/event-stream.ts'
import { LiveClient, type LiveClientOptions } from '../../shared/live-client.ts'
import { applyAgent, type AgentView } from '../../shared/views.ts'
import { startApp } from '../test/app.ts'

const server = await startApp()
const { app, aTenant, as, tokenOf } = server
const base = await server.listen()
const t = await aTenant({ slug: 'live', agents: 2, counters: 2 })
const queue = t.queues[0]!
const path = `/ws/tenants/live/queues/${queue.id}/`

const ends: (() => void)[] = []
afterEach(() => ends.splice(0).forEach((end) => end()))
const post = async (url: string, payload: object = {}, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: `/api/v1/tenants/live${url}`, headers: { ...as(t.admin), ...headers }, payload })
const take = () => post('/tickets/', { queue_id: queue.id, channel: 'reception' })

function follow(options: Partial<LiveClientOptions<Board, LiveEvent>> = {}) {
  const client = new LiveClient<Board, LiveEvent>({
    address: () => ({
      url: base.replace('http', 'ws') + path,
      protocols: ['smartqueue.v1', `bearer.${tokenOf(t.admin)}`],
    }),
    WebSocket,
    reduce: applyEvent,
    minDelaySeconds: 0.01,
    maxDelaySeconds: 0.05,
    ...options,
  })
  ends.push(() => client.close())
  return client
}

/** A proxy of the bad kind: it takes upgrades for nonsense and cuts what stays open when told to. */
async function badProxy(): Promise<{ url: string; cut(): void; server: Server }> {
  const { port } = new URL(base)
  const open = new Set<() => void>()
  const proxy = createServer((down) => {
    down.on('error', () => {})
    down.once('data', (head: Buffer) => {
      if (/upgrade: *websocket/i.test(String(head)))
        return void down.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
      const up = connect(Number(port), '127.0.0.1')
      up.on('error', () => {})
      up.write(head)
      down.pipe(up).pipe(down)
      const end = () => (down.destroy(), up.destroy())
      open.add(end)
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  ends.push(() => (open.forEach((end) => end()), proxy.close()))
  const { port: own } = proxy.address() as { port: number }
  return { url: `ws://127.0.0.1:${own}`, server: proxy, cut: () => open.forEach((end) => end()) }
}

test('where WebSockets never get through, the same client follows by Server-Sent Events, and recovers as well', async () => {
  const proxy = await badProxy()
  const offsets: number[] = []
  const client = follow({
    address: () => ({ url: proxy.url + path, protocols: ['smartqueue.v1', `bearer.${tokenOf(t.admin)}`] }),
    Fallback: EventStreamSocket,
    onChange: (_, event) => event && offsets.push(event.offset),
  })
  await expect.poll(() => client.status).toBe('live')
  for (let i = 0; i < 12; i++) {
    await take()
    if (i % 4 === 3) proxy.cut()
  }
  await expect.poll(() => client.view?.waiting_count).toBe(12)
  expect(offsets).toHaveLength(12)
  expect(offsets).toEqual([...new Set(offsets)].toSorted((a, b) => a - b))
})

test('control: without the fallback it never comes up', async () => {
  const proxy = await badProxy()
  const client = follow({ address: () => ({ url: proxy.url + path, protocols: ['smartqueue.v1', 'bearer.x'] }) })
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(client.status).toBe('connecting')
})

test('a picture that nobody confirms is old after its time, and fresh with the next word', async () => {
  const proxy = await badProxy()
  const heard: boolean[] = []
  const client = follow({ staleSeconds: 1, onStale: (isStale) => heard.push(isStale) })
  await expect.poll(() => client.view !== null).toBe(true)
  await expect.poll(() => heard).toEqual([true])
  await take()
  await expect.poll(() => heard.slice(0, 2)).toEqual([true, false])
  proxy.server.close()
})

test('an agent’s act is shown before the answer, kept by the event, and taken back when it is refused', async () => {
  const agent = t.agents[0]!
  const shown: (string | null)[] = []
  const client = new LiveClient<AgentView, LiveEvent>({
    address: () => ({
      url: `${base.replace('http', 'ws')}/ws/tenants/live/agents/${agent.id}/`,
      protocols: ['smartqueue.v1', `bearer.${tokenOf(t.admin)}`],
    }),
    WebSocket,
    reduce: applyAgent,
    onChange: (view) => shown.push(view.ticket?.status ?? null),
  })
  ends.push(() => client.close())
  await expect.poll(() => client.view !== null).toBe(true)
  await take()
  const called = (await post(`/agents/${agent.id}/call-next/`)).json<{ ticket: { id: number } }>().ticket
  await expect.poll(() => client.view?.ticket?.status).toBe('appelé')
  shown.length = 0
  const act = (verb: string, status: 'en_service' | 'terminé') =>
    client.act({
      apply: (view) => ({ ...view, ticket: view.ticket && { ...view.ticket, status } }),
      async send(key) {
        const answer = await post(`/tickets/${called.id}/${verb}/`, {}, { 'idempotency-key': key })
        if (answer.statusCode >= 400)
          throw Object.assign(new Error(answer.json<{ code: string }>().code), { status: answer.statusCode })
        return answer.json<{ status: string }>()
      },
      isTold: ({ ticket }) => ticket?.id === called.id,
    })
  expect((await act('start', 'en_service')).status).toBe('en_service')
  expect(shown[0]).toBe('en_service')
  await expect.poll(() => client.view?.ticket?.started_at).not.toBe(null)
  expect(new Set(shown)).toEqual(new Set(['en_service']))
  // Started already: refused, and what was shown is taken back.
  shown.length = 0
  await expect(act('no-show', 'terminé')).rejects.toMatchObject({ status: 409 })
  expect(shown).toEqual(['terminé', 'en_service'])
})
