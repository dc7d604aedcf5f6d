import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { startRedis } from '../../test/redis.ts'
import { Cache } from './cache.ts'
import { ALL, isCacheKey, keyText, type CacheKey } from './key.ts'
import { SharedCache } from './shared.ts'

const key = (of: string, over: Partial<CacheKey> = {}): CacheKey => ({
  what: 'page',
  version: 1,
  tenant: 7,
  reader: 'anonymous',
  language: 'fr',
  of,
  ...over,
})

/** A source that counts its reads and takes a while for each. */
function source(slowMs = 20) {
  const reads = { count: 0 }
  const read = async () => {
    const n = ++reads.count
    await delay(slowMs)
    return { n }
  }
  return { reads, read }
}

test('a crowd costs one read, and another only when the value has grown old', async () => {
  let now = 0
  const cache = new Cache(undefined, () => now)
  const { reads, read } = source()
  const ask = () => cache.get(key('a'), 1000, read)
  const values = await Promise.all(Array.from({ length: 50 }, ask))
  expect(new Set(values.map(({ n }) => n))).toEqual(new Set([1]))
  expect(reads.count).toBe(1)
  now = 1001
  expect(await ask()).toEqual({ n: 2 })
})

test('what is in use is read anew before it ends, and nobody waits for that', async () => {
  let now = 0
  const cache = new Cache(undefined, () => now)
  const { reads, read } = source(10)
  const ask = () => cache.get(key('a'), 1000, read)
  expect(await ask()).toEqual({ n: 1 })
  now = 790
  await ask()
  expect(reads.count).toBe(1)
  now = 850
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }])
  expect(reads.count).toBe(2)
  await expect.poll(ask).toEqual({ n: 2 })
  now = 1840
  expect(await ask()).toEqual({ n: 2 })
})

test('keys are apart, failures are not kept', async () => {
  const cache = new Cache()
  const others: Partial<CacheKey>[] = [
    { language: 'en' },
    { tenant: 8 },
    { reader: 'agent' },
    { version: 2 },
    { of: 'b' },
  ]
  expect(await cache.get(key('a'), 500, async () => 'a')).toBe('a')
  for (const [n, over] of others.entries())
    expect(await cache.get(key('a', over), 500, async () => `value ${n}`)).toBe(`value ${n}`)
  await expect(cache.get(key('c'), 500, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await cache.get(key('c'), 500, async () => 'back')).toBe('back')
  expect([cache.peek(key('a')), cache.peek(key('never asked'))]).toEqual(['a', undefined])
})

test('a key that leaves out tenant, reader, language, kind or version is refused', async () => {
  for (const part of ['what', 'version', 'tenant', 'reader', 'language'] as const) {
    for (const missing of [undefined, null, '', Number.NaN]) {
      const lacking = { ...key('a'), [part]: missing } as unknown as CacheKey
      expect(() => keyText(lacking)).toThrow('not a whole key')
      await expect(new Cache().get(lacking, 1, async () => 1)).rejects.toThrow('not a whole key')
    }
  }
  expect(isCacheKey(keyText(key('a', { tenant: ALL, reader: ALL, language: ALL })))).toBe(true)
  // A part cannot pretend to be two.
  expect(() => keyText(key('a', { reader: 'agent|en' }))).toThrow('not a whole key')
})

const redis = await startRedis()
afterAll(() => redis?.close())
describe.skipIf(!redis)('with Redis', () => {
  const secret = 'a key of all processes of this test'
  const open = (claimMs?: number) => {
    const link = redis!.link()
    const shared = new SharedCache(link, secret, claimMs)
    return { link, shared, cache: new Cache(shared) }
  }
  const ready = async ({ link }: ReturnType<typeof open>) => expect(await link.ready(5000)).toBe(true)

  test('one of many processes reads; the others wait for it', async () => {
    // Longer than the machine may stall.
    const nodes = Array.from({ length: 6 }, () => open(30_000))
    await Promise.all(nodes.map(ready))
    const { reads, read } = source(60)
    const values = await Promise.all(
      nodes.flatMap(({ cache }) => [1, 2, 3].map(() => cache.get(key('crowd'), 30_000, read))),
    )
    // One, unless the machine stalls for so long that a process gives Redis up and reads for itself.
    expect(reads.count).toBeLessThan(6)
    expect(new Set(values.map(({ n }) => n)).size).toBeLessThanOrEqual(reads.count)
    // Control: processes that share nothing read once each.
    const alone = source(60)
    await Promise.all(nodes.map(() => new Cache().get(key('crowd'), 1000, alone.read)))
    expect(alone.reads.count).toBe(6)
  })

  test('the age counts from the read, also for who is given the value later', async () => {
    let now = 0
    const a = open()
    const later = new Cache(a.shared, () => now)
    await ready(a)
    const { read } = source(0)
    expect(await a.cache.get(key('age'), 60_000, read)).toEqual({ n: 1 })
    await delay(200)
    expect(await later.get(key('age'), 60_000, read)).toEqual({ n: 1 })
    // By its own clock it has had the value for less than its life, but the value is older.
    now = 59_900
    await a.link.commands.del('smartqueue:cache:' + keyText(key('age')))
    expect(await later.get(key('age'), 60_000, read)).toEqual({ n: 2 })
  })

  test('Redis gone: everybody is answered, and when it is back it is used again', async () => {
    const node = open()
    await ready(node)
    const { reads, read } = source(0)
    await redis!.kill()
    for (let i = 0; i < 5; i++) expect(await node.cache.get(key(`gone ${i}`), 1000, read)).toBeDefined()
    expect(reads.count).toBe(5)
    await redis!.start()
    await ready(node)
    await delay(1100)
    await node.cache.get(key('back'), 5000, read)
    const other = open()
    await ready(other)
    const before = reads.count
    await other.cache.get(key('back'), 5000, read)
    expect(reads.count).toBe(before)
  })

  test('what others write into Redis is not believed', async () => {
    const [node, stranger] = [open(), redis!.link()]
    await ready(node)
    await stranger.ready(5000)
    const at = (of: string) => `smartqueue:cache:${keyText(key(of))}`
    await node.cache.get(key('mine'), 5000, async () => ({ role: 'agent' }))
    await node.cache.get(key('theirs'), 5000, async () => ({ role: 'admin' }))
    const mine = (await stranger.commands.get(at('mine')))!
    const forgeries = {
      'another key’s value': (await stranger.commands.get(at('theirs')))!,
      'a changed value': mine.replace('agent', 'admin'),
      'a later end': mine.replace(/^\d{13}/, '9999999999999'),
      'another installation’s': await (async () => {
        await new SharedCache(stranger, 'another key').set(keyText(key('mine')), '{"role":"admin"}', 5000)
        return (await stranger.commands.get(at('mine')))!
      })(),
      'no seal': '{"role":"admin"}',
      nothing: '',
    }
    const roleAt = async (value: string) => {
      await stranger.commands.set(at('mine'), value, 'PX', 60_000)
      return new Cache(node.shared).get(key('mine'), 5000, async () => ({ role: 'read' }))
    }
    for (const [name, forged] of Object.entries(forgeries)) expect(await roleAt(forged), name).toEqual({ role: 'read' })
    // Control: the value itself is taken.
    expect(await roleAt(mine)).toEqual({ role: 'agent' })
  })

  test('a value that Redis was made to keep for longer ends all the same', async () => {
    const node = open()
    await ready(node)
    const at = `smartqueue:cache:${keyText(key('old'))}`
    await node.shared.set(keyText(key('old')), '1', 400)
    const text = (await node.link.commands.get(at))!
    await delay(2450)
    await node.link.commands.set(at, text, 'PX', 60_000)
    expect(await node.shared.find(keyText(key('old')), () => true)).toBeUndefined()
  })

  test('who claims and dies keeps nobody waiting for long', async () => {
    const node = open()
    await ready(node)
    await node.shared.claim(keyText(key('dead')))
    expect(await node.cache.get(key('dead'), 1000, async () => 'read')).toBe('read')
  })
})
