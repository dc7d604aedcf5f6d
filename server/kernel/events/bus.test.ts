import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FaultProxy } from '../../../test/faults/proxy.ts'
import { PATIENT, testDatabase } from '../../test/harness.ts'
import { startRedis } from '../../test/redis.ts'
import { openDatabase, type Database } from '../db/index.ts'
import { registry } from '../metrics.ts'
import { RedisLink } from '../redis.ts'
import { Hub, NotifyBus, openStream, RedisBus, type HubOptions } from './index.ts'
import { appendStatement, placeEvents } from './log.ts'

const { db, owner, url, directUrl } = await testDatabase()
const redis = await startRedis()
let tenantId = 0
const closers: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  const [tenant] = await owner<{ id: number }>(`insert into tenants (slug, name) values ('bus', 'Bus') returning id`)
  tenantId = tenant!.id
})
afterAll(async () => {
  for (const close of closers.toReversed()) await close()
  await redis?.close()
})

let sites = 0
async function newStream(): Promise<number> {
  const siteId = ++sites
  await db.tenant(tenantId, (tx) => openStream(tx, tenantId, siteId))
  return siteId
}
async function startHub(options: HubOptions, on: Database = db): Promise<Hub> {
  const hub = new Hub(on, options)
  closers.push(() => hub.stop())
  await hub.start()
  await expect.poll(() => options.buses?.some(({ isDeaf }) => isDeaf) ?? false).toBe(false)
  return hub
}
/** Commits one event as a process with this hub does. */
async function commit(hub: Hub, siteId: number): Promise<void> {
  const statement = appendStatement([{ type: 'test.done', site_id: siteId, data: {}, actor: 'system' }])!
  const events = await db.tenant(tenantId, async (tx) => {
    const [rows] = await tx.finish([statement])
    return placeEvents(tenantId, statement, rows!)[0]!
  })
  hub.committed(events)
}
/** What another process hears of a site, and how long each event took. */
async function follow(hub: Hub, siteId: number) {
  const tail = await hub.tail(tenantId, siteId)
  const offsets: number[] = []
  const heardAt = new Map<number, number>()
  tail.listeners.add((events) => {
    for (const { offset } of events) {
      offsets.push(offset)
      heardAt.set(offset, performance.now())
    }
  })
  return { offsets, heardAt }
}
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
const wakeupsBy = async (bus: string) => {
  const metric = await registry.getSingleMetric('event_wakeups_total')!.get()
  return metric.values.find(({ labels }) => labels['bus'] === bus)?.value ?? 0
}

test.skipIf(!redis)(
  'Redis wakes; when it dies NOTIFY stands in, and it wakes again when it is back: nothing is lost',
  async () => {
    const buses = () => [new RedisBus(redis!.link()), new NotifyBus(db)]
    const siteId = await newStream()
    const publisher = await startHub({ buses: buses() })
    // Without polls, to see that the buses alone do it.
    const listener = await follow(await startHub({ buses: buses(), isPolling: false }), siteId)
    const control = await follow(await startHub({ buses: [new RedisBus(redis!.link())], isPolling: false }), siteId)
    let total = 0
    const commitSome = async () => {
      for (let i = 0; i < 10; i++) {
        await commit(publisher, siteId)
        total++
        await sleep(10)
      }
      await expect.poll(() => listener.offsets.length).toBe(total)
    }
    const byNotify = await wakeupsBy('notify')
    await commitSome()
    await expect.poll(() => control.offsets).toEqual(upTo(10))
    expect(await wakeupsBy('notify')).toBe(byNotify)

    await redis!.kill()
    await commitSome()
    expect(await wakeupsBy('notify')).toBeGreaterThan(byNotify)
    expect(control.offsets).toEqual(upTo(10))

    await redis!.start()
    const byRedis = await wakeupsBy('redis')
    await expect
      .poll(async () => {
        await commitSome()
        return (await wakeupsBy('redis')) > byRedis
      })
      .toBe(true)
    expect(listener.offsets).toEqual(upTo(total))
  },
)

test('NOTIFY is sent for many commits at once, never for each', async () => {
  const siteId = await newStream()
  const publisher = await startHub({})
  const listener = await follow(await startHub({ isPolling: false }), siteId)
  const before = await wakeupsBy('notify')
  const commits = 300
  await Promise.all(Array.from({ length: commits }, () => commit(publisher, siteId)))
  await expect.poll(() => listener.offsets.length).toBe(commits)
  // Both hubs hear each of them.
  expect((await wakeupsBy('notify')) - before).toBeLessThan(commits)
})

test('without a bus the poll finds everything', async () => {
  const siteId = await newStream()
  const publisher = await startHub({ buses: [] })
  const listener = await follow(await startHub({ buses: [] }), siteId)
  const control = await follow(await startHub({ buses: [], isPolling: false }), siteId)
  for (let i = 0; i < 5; i++) await commit(publisher, siteId)
  await expect.poll(() => listener.offsets).toEqual(upTo(5))
  expect(control.offsets).toEqual([])
})

/** The socket or port on which the database listens. */
function addressOf(databaseUrl: string): number | string {
  const { searchParams, port } = new URL(databaseUrl)
  const directory = searchParams.get('host')
  return directory ? `${directory}/.s.PGSQL.${port || 5432}` : Number(port)
}
function through({ port }: FaultProxy, databaseUrl: string): string {
  const other = new URL(databaseUrl)
  other.searchParams.delete('host')
  other.hostname = '127.0.0.1'
  other.port = String(port)
  return other.href
}

test('a LISTEN connection that is half-open is replaced within 15 s, and meanwhile the poll finds everything', async () => {
  const proxy = await FaultProxy.open(addressOf(directUrl))
  closers.push(async () => proxy.close())
  const far = await openDatabase({ url, directUrl: through(proxy, directUrl), ...PATIENT })
  closers.push(() => far.close())
  const siteId = await newStream()
  const publisher = await startHub({})
  const listener = await follow(await startHub({}, far), siteId)
  const control = await follow(await startHub({ isPolling: false }, far), siteId)
  await commit(publisher, siteId)
  await expect.poll(() => [listener.offsets, control.offsets]).toEqual([[1], [1]])

  // A busy machine may just be replacing one.
  await expect.poll(() => proxy.openCount).toBe(2)
  proxy.hollow()
  const hollowAt = performance.now()
  await commit(publisher, siteId)
  await expect.poll(() => listener.offsets).toEqual([1, 2])
  await expect.poll(() => control.offsets).toEqual([1, 2])
  // The control hears of it only once the connection is replaced.
  const [fallbackMs, repairedMs] = [listener, control].map(({ heardAt }) => heardAt.get(2)! - hollowAt) as [
    number,
    number,
  ]
  expect(fallbackMs).toBeLessThan(repairedMs)
  await commit(publisher, siteId)
  await expect.poll(() => control.offsets).toEqual([1, 2, 3])
  expect(listener.offsets).toEqual([1, 2, 3])
  process.stderr.write(
    `half-open LISTEN: heard by poll after ${fallbackMs.toFixed(0)} ms, replaced after ${repairedMs.toFixed(0)} ms\n`,
  )
})

test.skipIf(!redis)('a half-open connection to Redis is replaced within 15 s', async () => {
  const proxy = await FaultProxy.open(redis!.port)
  closers.push(async () => proxy.close())
  const siteId = await newStream()
  const publisher = await startHub({ buses: [new RedisBus(redis!.link())] })
  const farBus = () => {
    const link = new RedisLink(`redis://127.0.0.1:${proxy.port}`)
    closers.push(async () => link.close())
    return new RedisBus(link)
  }
  const listener = await follow(await startHub({ buses: [farBus()] }), siteId)
  const control = await follow(await startHub({ buses: [farBus()], isPolling: false }), siteId)
  await commit(publisher, siteId)
  await expect.poll(() => [listener.offsets, control.offsets]).toEqual([[1], [1]])
  // A busy machine may just be replacing one.
  await expect.poll(() => proxy.openCount).toBe(4)
  proxy.hollow()
  await commit(publisher, siteId)
  await expect
    .poll(() => [listener.offsets, control.offsets])
    .toEqual([
      [1, 2],
      [1, 2],
    ])
  expect(listener.heardAt.get(2)!).toBeLessThan(control.heardAt.get(2)!)
})
