import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, expect, test } from 'vitest'
import { whenOver } from '../test/when-over.ts'
import { ask, isPublicAddress, type OutboundPolicy } from './http.ts'

/** Something inside that must never be asked. */
const asked: IncomingMessage[] = []
const inside = createServer((request, response) => {
  asked.push(request)
  response
    .writeHead(request.url === '/redirect' ? 302 : 200, { location: `http://127.0.0.1:${port}/secret` })
    .end('inside')
})
await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
const { port } = inside.address() as AddressInfo
whenOver(() => new Promise<void>((resolve) => void inside.close(() => resolve())))
beforeEach(() => void asked.splice(0))

const policy = (names: Record<string, string[]> = {}, isAllowed = isPublicAddress): OutboundPolicy => ({
  resolve: async (name) => names[name] ?? [],
  isAllowed: (address) => isAllowed(address),
  timeoutMs: 2000,
  maxBytes: 1000,
})
const codeOf = (url: string, given = policy()) =>
  ask(new URL(url), { method: 'POST', headers: {}, body: '{}' }, given).then(
    ({ status }) => status,
    ({ code }: { code: string }) => code,
  )

/** First and last address of what is no public unicast (IANA), beside one before and one after it that are public. */
test.each([
  ['0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.1'],
  ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['192.0.0.0', '192.0.0.255', '192.0.1.0'],
  ['192.0.2.0', '192.0.2.255', '192.0.3.0'],
  ['192.88.99.0', '192.88.99.255', '192.88.100.0'],
  ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['224.0.0.0', '239.255.255.255', '223.255.255.255'],
  ['240.0.0.0', '255.255.255.255'],
  ['::', '::1'],
  ['::ffff:7f00:1', '::ffff:169.254.169.254', '::ffff:8.8.8.8'],
  ['64:ff9b::7f00:1', '64:ff9b:1::a00:1'],
  ['100::', '100::ffff:ffff:ffff:ffff'],
  ['2001::1', '2001:1ff:ffff::', '2001:200::1'],
  ['2001:db8::', '2001:db8:ffff::1', '2001:db9::1'],
  ['2002:7f00:1::', '2002:ffff::1', '2003::1'],
  ['3fff::1', '3fff:fff::1', '3ffe::1'],
  ['fc00::1', 'fdff:ffff::1', '2a00:1450:4007::200e'],
  ['fe80::1', 'febf:ffff::1'],
  ['fec0::1', 'feff::1'],
  ['ff00::', 'ff02::1'],
  ['::7f00:1', '::a9fe:a9fe'],
  ['::ffff:0:7f00:1', '::ffff:0:a00:1'],
  ['5f00::1', '5fff:ffff::1'],
  ['100:0:0:1::', '4000::1', '2606:4700::1111'],
])('%s to %s is nobody’s outside', (first, last, ...others) => {
  expect([isPublicAddress(first), isPublicAddress(last)]).toEqual([false, false])
  for (const other of others) expect([other, isPublicAddress(other)]).toEqual([other, true])
})

test('no spelling of an address inside is asked', async () => {
  const hosts =
    '127.0.0.1 127.1 0x7f.1 0x7f000001 0177.0.0.1 017700000001 2130706433 127.0.0.1. ①②⑦.⓪.⓪.① [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::127.0.0.1] [::127.0.0.1] 0 0.0.0.0 169.254.169.254 0xa9fea9fe 2852039166'
  for (const host of hosts.split(' '))
    expect([host, await codeOf(`http://${host}:${port}/`)]).toEqual([host, 'address_refused'])
  for (const url of ['file:///etc/hostname', ...['ftp', 'gopher', 'ws'].map((each) => `${each}://127.0.0.1:${port}/`)])
    expect([url, await codeOf(url)]).toEqual([url, 'address_refused'])
  expect(asked).toEqual([])
})

test('a name is refused for one address inside among others, and by the address that it had when it was judged', async () => {
  const names = {
    'inside.test': ['127.0.0.1'],
    'mixed.test': ['93.184.215.14', '127.0.0.1'],
    'mapped.test': ['::ffff:127.0.0.1'],
  }
  for (const name of Object.keys(names))
    expect([name, await codeOf(`http://${name}:${port}/`, policy(names))]).toEqual([name, 'address_refused'])
  // Rebinding: judged outside first, inside ever after. What was judged is what is connected to.
  const answers = [['93.184.215.14'], ['127.0.0.1'], ['127.0.0.1']]
  let lookups = 0
  const rebinding: OutboundPolicy = {
    ...policy(),
    timeoutMs: 300,
    resolve: async () => answers[lookups++] ?? ['127.0.0.1'],
  }
  expect(await codeOf(`http://rebinding.test:${port}/`, rebinding)).not.toBe(200)
  expect(lookups).toBe(1)
  expect(await codeOf(`http://nobody.test:${port}/`)).toBe('dns_failed')
  expect(asked).toEqual([])
})

test('a redirect is an answer, and is not followed', async () => {
  const allowed = policy({ 'outside.test': ['127.0.0.1'] }, (address) => address === '127.0.0.1')
  expect(await codeOf(`http://outside.test:${port}/redirect`, allowed)).toBe(302)
  expect(asked.map(({ url }) => url)).toEqual(['/redirect'])
})

test('the control: a plain request goes inside by most of these spellings', async () => {
  for (const host of ['127.1', '0x7f.1', '2130706433', '①②⑦.⓪.⓪.①']) await fetch(`http://${host}:${port}/`)
  await fetch(`http://127.0.0.1:${port}/redirect`)
  expect(asked).toHaveLength(6)
})
