import { lookup } from 'node:dns'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'

/** An address that an administrator typed may name anything, so nothing but the public internet is asked. */
const TIMEOUT_MS = 10_000
const MAX_BYTES = 512 * 1024

/** Everything that is no public unicast address (IANA special-purpose registries). */
const SPECIAL = new BlockList()
for (const range of [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24',
  '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  '::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
].flatMap((line) => line.split(' '))) {
  const [address = '', bits] = range.split('/')
  SPECIAL.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** May this address be asked? IPv4 inside IPv6 is judged as what it is. */
export const isPublicAddress = (address: string): boolean =>
  isIP(address) !== 0 && !SPECIAL.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

/**
 * `fetch` for servers that an organisation names: https only, public addresses only (checked on the address that is
 * connected to, so a name that changes its mind gains nothing), no redirects, ten seconds and half a megabyte
 * unless the caller says otherwise.
 * @param isDevelopment loopback and plain http too
 */
export function guardedFetch(isDevelopment: boolean, { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = {}) {
  const checkedLookup: LookupFunction = (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '', 0)
      const bad = addresses.find(({ address }) => !isDevelopment && !isPublicAddress(address))
      if (bad || addresses.length === 0) return done(new Error('not a public address'), '', 0)
      if (options.all) return done(null, addresses)
      return done(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
  return async (
    url: string,
    { method, headers, body }: { method: string; headers: Record<string, string>; body?: unknown },
  ): Promise<Response> => {
    const target = new URL(url)
    const isTls = target.protocol === 'https:'
    if (!isTls && !(isDevelopment && target.protocol === 'http:')) throw new Error('only https')
    const literal = target.hostname.replace(/^\[|\]$/g, '')
    if (!isDevelopment && isIP(literal) && !isPublicAddress(literal)) throw new Error('not a public address')
    const payload = body === undefined || body === null ? undefined : String(body as string | URLSearchParams)
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = (isTls ? tlsRequest : plainRequest)(
        target,
        { method, headers, lookup: checkedLookup, agent: false, signal: AbortSignal.timeout(timeoutMs) },
        resolve,
      )
      asked.on('error', reject)
      asked.end(payload)
    })
    if (answer.statusCode! >= 300 && answer.statusCode! < 400) {
      answer.destroy()
      throw new Error('redirects are not followed')
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if ((size += chunk.length) > maxBytes) throw new Error('the answer is too large')
      chunks.push(chunk)
    }
    const fields = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    )
    const status = answer.statusCode!
    return new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers: fields })
  }
}
