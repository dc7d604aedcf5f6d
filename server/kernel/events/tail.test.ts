import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { randomizer } from '../../../test/random.ts'
import { testDatabase } from '../../test/harness.ts'
import type { Database, Listening, Tx } from '../db/types.ts'
import { Hub, openStream, type StreamEvent, type StreamHead, type Tail } from './index.ts'
import { appendStatement, placeEvents, READ_RECENT, readEvents, readOn, readRecentEvents } from './log.ts'

const { db, owner, directUrl } = await testDatabase()
const tenantId = Number(
  (await owner(`insert into tenants (slug, name) values ('tail', 'Tail') returning id`))[0]!['id'],
)
const hubs: Hub[] = []
afterAll(() => Promise.all(hubs.map((hub) => hub.stop())))

let sites = 0
async function newStream(): Promise<number> {
  const siteId = ++sites
  await db.tenant(tenantId, (tx) => openStream(tx, tenantId, siteId))
  return siteId
}

/** Commits `count` events in one transaction, as another process would; nobody is told. */
function append(siteId: number, count = 1): Promise<StreamEvent[]> {
  const events = Array.from({ length: count }, () => ({
    type: 'test.done',
    site_id: siteId,
    data: {},
    actor: 'system',
  }))
  return db.tenant(tenantId, async (tx) => {
    const statement = appendStatement(events)!
    const [rows] = await tx.finish([statement])
    return placeEvents(tenantId, statement, rows!)[0]!
  })
}

/** The database with some of its ways out of order. */
function withFaults(faults: Partial<Database>): Database {
  return {
    tenant: (id, fn, pool) => db.tenant(id, fn, pool),
    reader: (id, pool) => db.reader(id, pool),
    platform: (fn) => db.platform(fn),
    listen: (channel, onMessage, onReconnect) => db.listen(channel, onMessage, onReconnect),
    close: () => db.close(),
    ...faults,
  }
}
/** No NOTIFY ever arrives. */
const deaf: Partial<Database> = { listen: async () => ({ notify: async () => {}, stop: async () => {} }) }
/** The poll for the streams' heads fails. */
const withoutPoll: Partial<Database> = { platform: () => Promise.reject(new Error('no poll')) }

async function startHub(faults: Partial<Database> = {}): Promise<Hub> {
  const hub = new Hub(withFaults(faults))
  hubs.push(hub)
  await hub.start()
  return hub
}
const lazyHub = (faults: Partial<Database> = {}) => new Hub(withFaults(faults))

interface Followed {
  tail: Tail
  offsets: number[]
  resets: StreamHead[]
}
async function follow(hub: Hub, siteId: number): Promise<Followed> {
  const tail = await hub.tail(tenantId, siteId)
  const followed: Followed = { tail, offsets: [], resets: [] }
  tail.listeners.add((events) => followed.offsets.push(...offsetsOf(events)))
  tail.resets.add((head) => followed.resets.push(head))
  return followed
}
const offsetsOf = (events: readonly StreamEvent[]) => events.map(({ offset }) => offset)
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
const until = async (check: () => boolean | Promise<boolean>) => {
  await expect.poll(check, { interval: 5 }).toBe(true)
}

/** What a process without a tail would show: whatever it is told, as it is told. */
function naiveFollower() {
  const offsets: number[] = []
  return { offsets, accept: (events: readonly StreamEvent[]) => void offsets.push(...offsetsOf(events)) }
}

test('events that arrive before their predecessors wait for them, and each is applied once', async () => {
  const siteId = await newStream()
  const { tail, offsets } = await follow(lazyHub(), siteId)
  const naive = naiveFollower()
  const [first, second, third] = [await append(siteId), await append(siteId, 2), await append(siteId)]
  for (const batch of [third, second, third, first, second]) {
    tail.accept(batch)
    naive.accept(batch)
  }
  expect(offsets).toEqual([1, 2, 3, 4])
  expect(naive.offsets).not.toEqual([1, 2, 3, 4])
})

test('what was never told is read from the log before what came after it', async () => {
  const siteId = await newStream()
  const { tail, offsets } = await follow(lazyHub(), siteId)
  const naive = naiveFollower()
  await append(siteId, 3)
  const fourth = await append(siteId)
  tail.accept(fourth)
  naive.accept(fourth)
  expect(offsets).toEqual([])
  await until(() => offsets.length === 4)
  expect(offsets).toEqual([1, 2, 3, 4])
  expect(naive.offsets).toEqual([4])
})

test('parts of the log that ended are not looked into, unless a clock was set back', async () => {
  const siteId = await newStream()
  const { tail, offsets } = await follow(lazyHub(), siteId)
  await append(siteId, 3)
  await append(siteId)
  const plan = (text: string, values: unknown[]) =>
    db.tenant(tenantId, async (tx) => JSON.stringify(await tx.query(`explain ${text}`, values)))
  const everywhere = READ_RECENT.replace('and e.at >= $4', '')
  expect(await plan(everywhere, [siteId, 0, 10])).toContain('events_beginning')
  const day = Temporal.Now.instant().subtract({ hours: 24 }).toString()
  expect(await plan(READ_RECENT, [siteId, 0, 10, day])).not.toContain('events_beginning')

  const recent = (after = 0, limit = 10) => readRecentEvents(db.reader(tenantId), siteId, after, limit, tail.knownAt)
  expect(offsetsOf((await recent())!)).toEqual([1, 2, 3, 4])
  expect(offsetsOf((await recent(1, 2))!)).toEqual([2, 3])
  expect(await recent()).toEqual(await readEvents(db.reader(tenantId), siteId, 0, 10))
  expect(await recent(4)).toBe(null)
  for (const displaced of [1, 4, 2]) {
    await owner(
      `update events set at = at - interval '1 year' where tenant_id = $1 and site_id = $2 and "offset" = $3`,
      [tenantId, siteId, displaced],
    )
    expect(await recent()).toBe(null)
  }
  await tail.refresh()
  expect(offsets).toEqual([1, 2, 3, 4])
})

test('who reads on from a place looks into the parts since then, and into all when something is missing there', async () => {
  const siteId = await newStream()
  await append(siteId, 4)
  const bounds: string[] = []
  const from = (offset: number, lastOffset = 4) => ({ offset, lastOffset, at: Temporal.Now.instant().toString() })
  const read = (offset: number, limit: number) => (since: string) => {
    bounds.push(since)
    return owner<{ offset: number }>(
      'select "offset" from events where tenant_id = $1 and site_id = $2 and "offset" > $3 and at >= $4 order by "offset" limit $5',
      [tenantId, siteId, offset, since, limit],
    )
  }
  const asked = async (offset: number, limit = 10, at?: null) => {
    bounds.length = 0
    const place = from(offset)
    const rows = await readOn(at === null ? { ...place, at } : place, limit, read(offset, limit))
    return [rows.map((row) => row.offset), bounds.map((since) => since === '-infinity')]
  }
  expect(await asked(0)).toEqual([[1, 2, 3, 4], [false]])
  expect(await asked(1, 2)).toEqual([[2, 3], [false]])
  expect(await asked(4)).toEqual([[], []])
  expect(await asked(0, 10, null)).toEqual([[1, 2, 3, 4], [true]])
  // One that was written after the head was read comes along, or with the next page.
  expect(await readOn(from(0, 3), 10, read(0, 10))).toHaveLength(4)
  for (const displaced of [1, 4, 3]) {
    await owner(
      `update events set at = at - interval '1 year' where tenant_id = $1 and site_id = $2 and "offset" = $3`,
      [tenantId, siteId, displaced],
    )
    expect(await asked(0)).toEqual([
      [1, 2, 3, 4],
      [false, true],
    ])
  }
  // Control: the bound alone loses what a clock that was set back put into an older part.
  expect(await read(0, 10)(bounds[0]!)).toEqual([{ offset: 2 }])
})

test.each([1, 2, 3])('any order, any repetition and any loss end in the log’s own order (seed %i)', async (seed) => {
  const random = randomizer(seed)
  const siteId = await newStream()
  const { tail, offsets } = await follow(lazyHub(), siteId)
  const naive = naiveFollower()
  const batches: StreamEvent[][] = []
  for (let i = 0; i < 60; i++) batches.push(await append(siteId, 1 + Math.floor(random() * 5)))
  const total = tail.offset + batches.flat().length
  const told = batches.flatMap((batch, place) =>
    Array.from({ length: Math.floor(random() * 3) }, () => ({ batch, place: place + random() * 8 })),
  )
  for (const { batch } of told.toSorted((a, b) => a.place - b.place)) {
    tail.accept(batch)
    naive.accept(batch)
    if (random() < 0.1) await sleep(random() * 8)
  }
  // What the poll of the heads would ask for.
  await tail.refresh()
  expect(offsets).toEqual(upTo(total))
  expect(new Set(naive.offsets).size).toBeLessThan(total)
  expect(naive.offsets).not.toEqual(naive.offsets.toSorted((a, b) => a - b))
})

test('a lost NOTIFY costs a poll and no event', async () => {
  const siteId = await newStream()
  const polled = await follow(await startHub(deaf), siteId)
  const unpolled = await follow(lazyHub(), siteId)
  await append(siteId, 3)
  await until(() => polled.offsets.length === 3)
  expect(polled.offsets).toEqual([1, 2, 3])
  expect(unpolled.offsets).toEqual([])
})

test('when the epoch changes, followers are told to start anew and hear what comes after', async () => {
  const siteId = await newStream()
  const hub = await startHub(deaf)
  const { tail, offsets, resets } = await follow(hub, siteId)
  for (const events of [await append(siteId, 2), await append(siteId)]) hub.committed(events)
  const restore = async (epoch: string) => {
    await owner('delete from events where tenant_id = $1 and site_id = $2 and "offset" > 1', [tenantId, siteId])
    await owner('update streams set epoch = $3, last_offset = 1 where tenant_id = $1 and site_id = $2', [
      tenantId,
      siteId,
      epoch,
    ])
  }
  await restore('restored')
  await until(() => resets.length === 1)
  hub.committed(await append(siteId))
  expect(offsetsOf(tail.recent(1)!)).toEqual([2])

  // Before any poll: the first commit of the new epoch says so itself.
  await restore('again')
  const third = await append(siteId)
  hub.committed(third)
  await until(() => resets.length === 2)
  hub.committed(await append(siteId))
  expect(resets).toEqual([
    { epoch: 'restored', offset: 1 },
    { epoch: 'again', offset: 2 },
  ])
  expect(offsets).toEqual([1, 2, 3, 2, 3])
  expect(tail.recent(0)).toBe(null)
})

test('a LISTEN connection that is killed comes back, and everything committed meanwhile is heard', async () => {
  const siteId = await newStream()
  const publisher = await startHub()
  const listener = await follow(await startHub(withoutPoll), siteId)
  const naive = await follow(await startHub({ ...withoutPoll, listen: listenOnce }), siteId)
  const backends = () =>
    owner<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'smartqueue listen'`,
    )
  const before = (await backends()).map(({ pid }) => pid)
  let total = 0
  for (let kill = 0; kill < 3; kill++) {
    for (let i = 0; i < 20; i++) {
      publisher.committed(await append(siteId))
      total++
      if (i === 10) {
        for (const { pid } of await backends()) await owner('select pg_terminate_backend($1)', [pid])
      }
    }
    await until(() => listener.offsets.length === total)
    await until(async () => (await backends()).length === before.length - 1)
  }
  expect(listener.offsets).toEqual(upTo(total))
  expect((await backends()).some(({ pid }) => before.includes(pid))).toBe(false)
  expect(naive.offsets.length).toBeLessThan(total)
})

/** LISTEN as it is written when nobody thinks of the connection's end. */
async function listenOnce(channel: string, onMessage: (payload: string) => void): Promise<Listening> {
  const client = new pg.Client({ connectionString: directUrl, application_name: 'smartqueue listen' })
  client.on('error', () => {})
  client.on('notification', ({ payload = '' }) => onMessage(payload))
  await client.connect()
  await client.query(`listen ${channel}`)
  return { notify: async () => {}, stop: () => client.end() }
}

test('a database that is away while a gap is filled costs no process and no event', async () => {
  const siteId = await newStream()
  let isAway = false
  const away: Tx = {
    query: () => Promise.reject(new Error('away')),
    maybe: () => Promise.reject(new Error('away')),
    one: () => Promise.reject(new Error('away')),
  }
  const hub = await startHub({ ...deaf, reader: (id) => (isAway ? away : db.reader(id)) })
  const { tail, offsets } = await follow(hub, siteId)
  await append(siteId)
  const second = await append(siteId)
  isAway = true
  tail.accept(second)
  tail.accept([{ ...second[0]!, epoch: 'other' }])
  // An unhandled rejection would end the process, and fails the run here.
  await sleep(30)
  expect(offsets).toEqual([])
  isAway = false
  await until(() => offsets.length === 2)
  expect(offsets).toEqual([1, 2])
})

test('a follower far behind is served from memory, then from the log, and beyond the limit not at all', async () => {
  const siteId = await newStream()
  const hub = lazyHub()
  const { tail, offsets } = await follow(hub, siteId)
  for (let i = 0; i < 5; i++) await append(siteId, 900)
  await tail.refresh()
  expect(offsets).toEqual(upTo(4500))
  expect(offsetsOf(tail.recent(4400)!)).toEqual(offsets.slice(4400))
  expect(tail.recent(100)).toBe(null)
  expect(offsetsOf((await hub.since(tail, 100, 5000))!)).toEqual(offsets.slice(100))
  expect(await hub.since(tail, 100, 4399)).toBe(null)
  expect(await hub.since(tail, 4400, 99)).toBe(null)
})

test('memory forgets what is old, and the log serves it', async () => {
  const siteId = await newStream()
  const hub = lazyHub()
  const { tail } = await follow(hub, siteId)
  tail.accept(await append(siteId, 3))
  tail.age()
  tail.accept(await append(siteId, 2))
  expect(offsetsOf(tail.recent(0)!)).toEqual([1, 2, 3, 4, 5])
  tail.age()
  expect(tail.recent(0)).toBe(null)
  expect(offsetsOf(tail.recent(3)!)).toEqual([4, 5])
  tail.age()
  expect(tail.recent(4)).toBe(null)
  expect(tail.recent(5)).toEqual([])
  expect(offsetsOf((await hub.since(tail, 0, 100))!)).toEqual([1, 2, 3, 4, 5])
  tail.accept(await append(siteId))
  expect(offsetsOf(tail.recent(5)!)).toEqual([6])
})

test('a site that does not exist is refused, and followed once it does', async () => {
  const hub = lazyHub()
  await expect(hub.tail(tenantId, sites + 1)).rejects.toThrow('no such stream')
  const { offset } = await hub.tail(tenantId, await newStream())
  expect(offset).toBe(0)
})

test.each([
  ['some of what was missed', 3, 5],
  ['all that was missed', 5, 5],
])('where the log has lost %s, followers are told to start anew and then miss nothing', async (_, lost, head) => {
  const siteId = await newStream()
  const { tail, offsets, resets } = await follow(lazyHub(), siteId)
  tail.accept(await append(siteId))
  await append(siteId, 4)
  const forget = (upTo: number) =>
    owner('delete from events where tenant_id = $1 and site_id = $2 and "offset" <= $3', [tenantId, siteId, upTo])
  await forget(lost)
  await tail.refresh()
  expect(resets).toEqual([{ epoch: tail.epoch, offset: head }])
  expect(offsets).toEqual([1])
  expect(tail.recent(1)).toBe(null)
  // From there on every event, once.
  await append(siteId, 2)
  await tail.refresh()
  tail.accept(await append(siteId))
  expect(offsets).toEqual([1, 6, 7, 8])
  // The control: what was lost behind the tail is nobody's loss.
  await forget(7)
  await append(siteId)
  await tail.refresh()
  expect(resets.length).toBe(1)
  expect(offsets.at(-1)).toBe(9)
})

test('who commits while the log is read is no hole', async () => {
  const siteId = await newStream()
  let isFirst = true
  const hub = lazyHub({
    reader: (id) => {
      const tx = db.reader(id)
      // A commit falls between a page that is empty and the look at the stream's head.
      const late: Tx['maybe'] = async (text, values) => {
        if (isFirst && tail) await append(siteId, 2)
        if (tail) isFirst = false
        return tx.maybe(text, values)
      }
      return { query: tx.query.bind(tx), one: tx.one.bind(tx), maybe: late }
    },
  })
  let tail: Tail | undefined
  const followed = await follow(hub, siteId)
  tail = followed.tail
  await tail.refresh()
  await tail.refresh()
  expect(isFirst).toBe(false)
  expect(followed.resets).toEqual([])
  expect(followed.offsets).toEqual([1, 2])
})
