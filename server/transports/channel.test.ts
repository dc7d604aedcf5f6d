import { expect, test } from 'vitest'
import { Hub, openStream, type HubOptions } from '../kernel/events/index.ts'
import { appendStatement, placeEvents } from '../kernel/events/log.ts'
import type { OpenFeed } from '../kernel/feed.ts'
import { testDatabase } from '../test/harness.ts'
import { Channel, type Follower } from './channel.ts'

const { db, owner } = await testDatabase()
const mute: NonNullable<HubOptions['buses']>[number] = {
  name: 'mute',
  isDeaf: false,
  start: async () => {},
  stop: async () => {},
  tell: async () => {},
}

/** A process that hears of the others only when it asks. */
async function process(tenantId: number) {
  const hub = new Hub(db, { buses: [mute], isPolling: false })
  async function commit() {
    const statement = appendStatement([{ type: 'test.done', site_id: 1, data: {}, actor: 'system' }])!
    const [rows] = await db.tenant(tenantId, (tx) => tx.finish([statement]))
    hub.committed(placeEvents(tenantId, statement, rows!)[0]!)
  }
  return { hub, tail: await hub.tail(tenantId, 1), commit }
}

test('who comes back to a process that lags behind is told what it missed, not to begin anew', async () => {
  const [tenant] = await owner<{ id: number }>(`insert into tenants (slug, name) values ('lag', 'Lag') returning id`)
  const tenantId = tenant!.id
  await db.tenant(tenantId, (tx) => openStream(tx, tenantId, 1))
  const other = await process(tenantId)
  const lagging = await process(tenantId)
  await other.commit()
  await lagging.tail.refresh()
  await other.commit()
  await other.commit()
  // The snapshot shows what this process's tail has not heard of.
  const feed = {
    site_id: 1,
    select: () => true,
    project: () => ({}),
    snapshot: async () => ({ epoch: other.tail.epoch, offset: other.tail.offset }),
  } as unknown as OpenFeed
  const channel = await Channel.open(lagging.hub, tenantId, feed, () => {})

  const sent: string[] = []
  const follower: Follower = {
    isOpen: true,
    send: (batch) => (sent.push(...batch.frames.map(({ json }) => json)), true),
    drained: async () => true,
    end: (code, reason) => sent.push(`${code} ${reason}`),
  }
  const [epoch, offset] = [lagging.tail.epoch, lagging.tail.offset]
  await channel.join(follower, { epoch, offset }, feed)
  expect(sent.map((json) => (JSON.parse(json) as { offset: number }).offset)).toEqual([2, 3])
  channel.close(1000, 'over')
})
