import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { ServerProcess } from '../../test/faults/processes.ts'
import { useSigningKeys } from '../modules/authentication/index.ts'
import { aTenant } from '../test/factories.ts'
import { testDatabase } from '../test/harness.ts'
import { tokenOf } from '../test/tokens.ts'

const { owner, url, directUrl } = await testDatabase()
const TRANSFERS = 40

interface Frame {
  type: string
  offset: number
  after: number
  queue_id?: number
  from_queue_id?: number
  ticket?: { id: number; queue_id: number }
}

test('a ticket that goes to and fro between queues by turns of two processes leaves no hole in any feed of either', async () => {
  const secretKey = randomBytes(48).toString('base64url')
  useSigningKeys(secretKey)
  const t = await aTenant(owner, { slug: 'bank', queues: 2 })
  const [a, b] = t.queues.map(({ id }) => id) as [number, number]
  const settings = { DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl, SECRET_KEY: secretKey, DATA_DIR: tmpdir() }
  const servers = await Promise.all([1, 2].map(() => ServerProcess.start(settings, 'api,realtime')))
  const token = tokenOf(t.admin)
  const post = async (node: number, path: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${servers[node]!.port}/api/v1/tenants/bank${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(answer.status, path).toBeLessThan(300)
    return (await answer.json()) as { id: number }
  }
  const follow = (node: number, path: string) => {
    const frames: Frame[] = []
    const address = `ws://127.0.0.1:${servers[node]!.port}/ws/tenants/bank/${path}/`
    const socket = new WebSocket(address, ['smartqueue.v1', `bearer.${token}`])
    socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame))
    return { name: `${path} of node ${node + 1}`, frames, socket }
  }
  const feeds = [0, 1].flatMap((node) =>
    [`queues/${a}`, `queues/${b}`, `sites/${t.sites[0]!.id}`].map((path) => follow(node, path)),
  )
  try {
    for (const { frames } of feeds) await expect.poll(() => frames.length).toBe(1)
    const ticket = await post(0, '/tickets/', { queue_id: a, channel: 'kiosk' })
    for (let n = 0; n < TRANSFERS; n++) {
      await post(n % 3 === 0 ? 0 : 1, `/tickets/${ticket.id}/transfer/`, { queue_id: n % 2 === 0 ? b : a })
    }
    // Another ticket of each queue at the end: its frame says what came before.
    for (const queue_id of [a, b]) await post(1, '/tickets/', { queue_id, channel: 'kiosk' })
    const moves = ({ frames }: { frames: Frame[] }) => frames.filter(({ type }) => type === 'ticket.transferred')
    for (const feed of feeds) {
      await expect.poll(() => feed.frames.filter(({ type }) => type === 'ticket.created').length).toBeGreaterThan(0)
      await expect.poll(() => moves(feed).length).toBe(TRANSFERS)
      for (const [i, frame] of feed.frames.entries())
        if (i > 0) expect([feed.name, frame.after]).toEqual([feed.name, feed.frames[i - 1]!.offset])
      // Both queues hear of every move, and where the ticket stands afterwards.
      expect(moves(feed).map((frame) => frame.ticket!.queue_id)).toEqual(
        moves(feed).map((_, n) => (n % 2 === 0 ? b : a)),
      )
    }
    // The control: a feed that chose by the queue where a ticket stands would not have heard it leave.
    expect(moves(feeds[0]!).filter((frame) => frame.ticket!.queue_id === a).length).toBe(TRANSFERS / 2)
  } finally {
    for (const { socket } of feeds) socket.terminate()
    await Promise.all(servers.map((server) => server.stop()))
  }
}, 180_000)
