import { expect, inject, test } from 'vitest'
import { loadConfig } from '../../config.ts'
import { testDatabase } from '../../test/harness.ts'
import { Hosts } from './hosts.ts'

const { directUrl } = inject('testServer')

test('a primary and its standbys are named as libpq names them', () => {
  const read = (url: string) =>
    loadConfig({ DATABASE_URL: url, SECRET_KEY: 'k3Jx9QpLz7Vb2Nw8Ry5Tf1Hs6Gd4Mc0A' }, '/nowhere').databaseUrl
  expect(read('postgresql://app:s@db-1:5432,db-2:5433/smartqueue?target_session_attrs=read-write')).toBe(
    'postgresql://app:s@localhost/smartqueue?target_session_attrs=read-write&host=db-1,db-2&port=5432,5433',
  )
  expect(read('postgresql://app@db-1,db-2/q')).toBe('postgresql://app@localhost/q?host=db-1,db-2&port=5432,5432')
  expect(read('postgresql://app@db-1:5432/q')).toBe('postgresql://app@db-1:5432/q')
})

interface Server {
  timeline: number | null
  isAway?: boolean
}
/** Connects to servers that exist in name alone: each by its port. */
async function reach(hosts: Hosts, url: string, servers: Record<string, Server>): Promise<string> {
  const { port } = await hosts.connect(
    url,
    async (one) => {
      const port = new URL(one).searchParams.get('port')!
      if (servers[port]!.isAway) throw new Error(`${port} is away`)
      return { port, query: async () => ({ rows: [{ timeline: servers[port]!.timeline }] }) }
    },
    () => {},
  )
  return port
}

test('writes go to the server that takes them, and never back to an old primary', async () => {
  const url = 'postgresql://u@localhost/q?host=a,b&port=1,2'
  const hosts = Hosts.of(url)
  expect(await reach(hosts, url, { 1: { timeline: null }, 2: { timeline: 1 } })).toBe('2')
  expect(hosts.current(url)).toContain('port=2')
  expect(await reach(hosts, url, { 1: { timeline: 2 }, 2: { timeline: 1, isAway: true } })).toBe('1')
  await expect(reach(hosts, url, { 1: { timeline: 2, isAway: true }, 2: { timeline: 1 } })).rejects.toThrow(
    'old primary',
  )
  await expect(reach(hosts, url, { 1: { timeline: null }, 2: { timeline: null } })).rejects.toThrow('no writes')
  expect(await reach(hosts, url, { 1: { timeline: 2 }, 2: { timeline: 1 } })).toBe('1')
})

test('a database is used by the one of its servers that answers', async () => {
  const socket = new URL(directUrl).searchParams.get('host') ?? new URL(directUrl).hostname
  const { url } = await testDatabase()
  const several = new URL(url)
  several.searchParams.set('host', `/nowhere,${socket}`)
  several.searchParams.set('port', `5432,${new URL(url).port || '5432'}`)
  const { openDatabase } = await import('./index.ts')
  const db = await openDatabase({ url: several.href })
  expect(await db.platform((tx) => tx.query('select 1 as n'))).toEqual([{ n: 1 }])
  await db.close()
})
