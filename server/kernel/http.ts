import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'

/** Everything that is no public unicast address (IANA special-purpose registries; of IPv6 only 2000::/3 is given out). */
const SPECIAL = blockList(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 ::/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/8 200::/7 400::/6 800::/5 1000::/4 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1'.split(
    ' ',
  ),
)

/** @param ranges in CIDR notation, or single addresses. @throws Error for what is neither */
export function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, bits === undefined ? (isIPv6(address) ? 128 : 32) : Number(bits), familyOf(address))
  }
  return list
}
function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
/** Node's own list judges IPv4 inside IPv6 as what it is. */
export const isIn = (list: BlockList, address: string): boolean => list.check(address, familyOf(address))

/** May this address be asked? IPv4 inside IPv6 is judged as what it is. */
export const isPublicAddress = (address: string): boolean => isIP(address) !== 0 && !isIn(SPECIAL, address)

export type OutboundFailure =
  | 'address_refused'
  | 'dns_failed'
  | 'timed_out'
  | 'tls_failed'
  | 'connection_failed'
  | 'answer_malformed'
/** Why a server elsewhere could not be asked, or did not answer as one. */
export class OutboundError extends Error {
  readonly code: OutboundFailure
  constructor(code: OutboundFailure, cause?: unknown) {
    super(code, { cause })
    this.code = code
  }
}

/** Whom a caller lets itself be sent to. */
export interface OutboundPolicy {
  /** All addresses of a name. */
  resolve(hostname: string): Promise<readonly string[]>
  isAllowed(address: string, target: { isTls: boolean; port: number }): boolean
  /** From the name's look-up to the answer's last byte. */
  timeoutMs: number
  /** Of the answer's body; what comes after is not read. */
  maxBytes: number
}
export interface OutboundAnswer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  isTruncated: boolean
}

/**
 * The one way to servers that an organisation names. The name is looked up once, every address of it is judged, and only
 * those are connected to, so that a name which changes its mind gains nothing. Redirects are answers like others.
 * @throws OutboundError
 */
export async function ask(
  url: URL,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: string | Buffer | undefined },
  policy: OutboundPolicy,
): Promise<OutboundAnswer> {
  const isTls = url.protocol === 'https:'
  if (!isTls && url.protocol !== 'http:') throw new OutboundError('address_refused')
  const port = Number(url.port) || (isTls ? 443 : 80)
  const ending = AbortSignal.timeout(policy.timeoutMs)
  const addresses = await addressesOf(url, policy, ending)
  if (!addresses.every((address) => policy.isAllowed(address, { isTls, port })))
    throw new OutboundError('address_refused')
  const lookup: LookupFunction = (_hostname, options, done) => {
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
    if (options.all) return done(null, found)
    done(null, found[0]!.address, found[0]!.family)
  }
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = (isTls ? tlsRequest : plainRequest)(
        url,
        { method, headers, lookup, agent: false, signal: ending },
        resolve,
      )
      refuseOthers(asked, addresses)
      asked.on('error', reject)
      asked.end(body)
    })
    return { status: answer.statusCode!, headers: answer.headers, ...(await bodyOf(answer, policy.maxBytes)) }
  } catch (error) {
    throw ending.aborted ? new OutboundError('timed_out', error) : failureOf(error, isTls)
  }
}

async function addressesOf(url: URL, policy: OutboundPolicy, ending: AbortSignal): Promise<readonly string[]> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(hostname)) return [hostname]
  const late = new Promise<never>((_, reject) => ending.addEventListener('abort', () => reject(ending.reason as Error)))
  try {
    const found = await Promise.race([policy.resolve(hostname), late])
    if (found.length > 0) return found
  } catch (error) {
    throw new OutboundError(ending.aborted ? 'timed_out' : 'dns_failed', error)
  }
  throw new OutboundError('dns_failed')
}

/** Looks once more at whom the socket has really reached. */
function refuseOthers(asked: ClientRequest, addresses: readonly string[]): void {
  asked.on('socket', (socket) =>
    socket.once('connect', () => {
      const reached = socket.remoteAddress ?? ''
      if (!addresses.some((address) => isIn(blockList([address]), reached)))
        asked.destroy(new OutboundError('address_refused'))
    }),
  )
}

async function bodyOf(answer: IncomingMessage, maxBytes: number): Promise<{ body: Buffer; isTruncated: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    // Leaving the loop ends the connection.
    if (size > maxBytes) return { body: Buffer.concat(chunks).subarray(0, maxBytes), isTruncated: true }
  }
  return { body: Buffer.concat(chunks), isTruncated: false }
}

const CERTIFICATE = /CERT|SIGNATURE|ISSUER|CRL|HOSTNAME/
function failureOf(error: unknown, isTls: boolean): OutboundError {
  if (error instanceof OutboundError) return error
  const code = String((error as NodeJS.ErrnoException).code)
  if (code.startsWith('HPE_')) return new OutboundError('answer_malformed', error)
  if (code === 'EPROTO' || /^ERR_(SSL|TLS)/.test(code) || (isTls && CERTIFICATE.test(code)))
    return new OutboundError('tls_failed', error)
  return new OutboundError('connection_failed', error)
}
