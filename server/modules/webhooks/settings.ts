import { Resolver } from 'node:dns/promises'
import type { BlockList } from 'node:net'
import { blockList, isIn, isPublicAddress, type OutboundPolicy } from '../../kernel/http.ts'

interface Settings {
  /** Networks that may be asked although they are not public, there also by plain http and on any port. */
  allowedNetworks: readonly string[]
  /** Ports that receivers on the internet may listen on. */
  ports: readonly number[]
  /** From the name's look-up to the answer's last byte. */
  timeoutMs: number
  /** Servers that look names up; the system's own when empty. */
  nameServers?: readonly string[]
}
/** Of an answer's body; what comes after is not read. */
const MAX_ANSWER_BYTES = 64 * 1024
const DNS_MS = 3000

let policy: OutboundPolicy & { allowed: BlockList; ports: ReadonlySet<number> }

/** Gives the process WEBHOOK_ALLOWED_NETWORKS, WEBHOOK_PORTS and WEBHOOK_TIMEOUT_MS. */
export function useWebhooks({ allowedNetworks, ports, timeoutMs, nameServers = [] }: Settings): void {
  const allowed = blockList(allowedNetworks)
  const open = new Set(ports)
  policy = {
    allowed,
    ports: open,
    timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    resolve: resolver(nameServers),
    isAllowed: (address, { isTls, port }) =>
      isIn(allowed, address) || (isTls && open.has(port) && isPublicAddress(address)),
  }
}
useWebhooks({ allowedNetworks: [], ports: [443], timeoutMs: 15_000 })

/** Whom an endpoint may be. */
export const webhookPolicy = (): OutboundPolicy => policy
/** Could this port ever be asked? Plain http could only in networks that are allowed. */
export const mayAsk = (url: URL): boolean =>
  policy.allowed.rules.length > 0 || (url.protocol === 'https:' && policy.ports.has(Number(url.port) || 443))

/**
 * Looks names up without the threads that files and passwords need as well: a name server that is silent must delay nobody
 * else. `localhost` needs no server (RFC 6761).
 */
function resolver(nameServers: readonly string[]): OutboundPolicy['resolve'] {
  const dns = new Resolver({ timeout: DNS_MS, tries: 2 })
  if (nameServers.length > 0) dns.setServers(nameServers)
  return async (hostname) => {
    if (/^(?:.*\.)?localhost\.?$/.test(hostname)) return ['127.0.0.1']
    const found = await Promise.allSettled([dns.resolve4(hostname), dns.resolve6(hostname)])
    const addresses = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    if (addresses.length === 0) throw (found[0] as PromiseRejectedResult).reason
    return addresses
  }
}
