import { createClient, type Client } from 'graphql-ws'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startApp } from '../../test/app.ts'

const { app, aTenant, as, tokenOf, listen } = await startApp()
const t = await aTenant({ slug: 'bank', queues: 2, agents: 1 })
const other = await aTenant({ slug: 'other', queues: 1 })
const url = `${(await listen()).replace('http', 'ws')}/graphql`
const queue = t.queues[0]!.id

interface Frame {
  type: string
  epoch: string
  offset: number
  after: number | null
  snapshot: { waiting: { number: string; status: string }[] } | null
}
const DOCUMENT = `subscription Follow($queue: ID!, $epoch: String, $since: Long) {
  queue(queue_id: $queue, epoch: $epoch, since: $since) { type epoch offset after snapshot { waiting { number status } } frame } }`

const client = (connectionParams: Record<string, unknown>): Client =>
  createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 })
const take = () =>
  app.inject({
    method: 'POST',
    url: '/api/v1/tickets/',
    headers: as(t.admin),
    payload: { queue_id: queue, channel: 'kiosk' },
  })
const stream = (from: Client, variables: Record<string, unknown>) =>
  from.iterate<{ queue: Frame }>({ query: DOCUMENT, variables: { queue, ...variables } })
async function next(frames: AsyncIterator<unknown>): Promise<Frame> {
  const { value } = (await frames.next()) as { value: { data: { queue: Frame } } }
  return value.data.queue
}

test('a client written from the document alone follows a queue, leaves, and comes back without a hole', async () => {
  const staff = client({ authorization: `Bearer ${tokenOf(t.admin)}` })
  const frames = stream(staff, {})
  const first = await next(frames)
  expect(first).toMatchObject({ type: 'snapshot', snapshot: { waiting: [] } })
  await take()
  const created = await next(frames)
  expect(created).toMatchObject({ type: 'ticket.created', after: first.offset, snapshot: null })
  await frames.return?.()
  await take()
  await take()
  const again = stream(staff, { epoch: first.epoch, since: created.offset })
  const [second, third] = [await next(again), await next(again)]
  expect([second.after, third.after]).toEqual([created.offset, second.offset])
  const lost = stream(staff, { epoch: 'another', since: 1 })
  expect((await next(lost)).type).toBe('resync')
  expect((await next(lost)).snapshot!.waiting.map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting'])
  await staff.dispose()
})

test('another tenant’s queue is not there, strangers and bad tokens are refused', async () => {
  const foreign = client({ authorization: `Bearer ${tokenOf(other.admin)}` })
  await expect(next(stream(foreign, {}))).rejects.toBeDefined()
  await foreign.dispose()
  const bad = client({ authorization: 'Bearer nonsense' })
  await expect(next(stream(bad, {}))).rejects.toMatchObject({ code: 4401 })
  const page = new WebSocket(url, 'graphql-transport-ws', { headers: { origin: 'https://evil.example' } })
  const refused = await new Promise<string>((resolve) => page.once('error', (error) => resolve(error.message)))
  expect(refused).toContain('403')
})
