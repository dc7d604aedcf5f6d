import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'

/** Load balancers ask these inside, where there is no TLS. */
const INSIDE = /^\/(healthz|readyz)(\?|$)/

/**
 * Plain HTTP is answered with the way to HTTPS where a browser reads, and refused elsewhere: a program that was sent on
 * silently would go on sending its credentials in the clear. Whether a request came over TLS, a trusted proxy may say.
 */
export function requireHttps(app: FastifyInstance): void {
  app.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    if (request.protocol === 'https' || INSIDE.test(request.url)) return done()
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !request.url.startsWith('/api/')
    if (!isPage) return done(new AppError('forbidden', 'https_required'))
    // The Host was checked before. The port of plain HTTP is not that of HTTPS.
    const name = request.headers.host!.replace(/:\d+$/, '')
    return reply.code(308).header('location', `https://${name}${request.url}`).send()
  })
}

/** What a trusted proxy may say of a request that becomes a socket, which never meets a hook. */
export interface Forwarded {
  isOverTls(request: IncomingMessage): boolean
  /** The client's address: the last one that no trusted proxy has. */
  addressOf(request: IncomingMessage): string
}

export function forwarded(trustedProxies: readonly string[]): Forwarded {
  const trusted = new BlockList()
  const family = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')
  for (const entry of trustedProxies) {
    const [address = '', bits] = entry.split('/')
    if (bits === undefined) trusted.addAddress(address, family(address))
    else trusted.addSubnet(address, Number(bits), family(address))
  }
  const isTrusted = (address: string) => trusted.check(address, family(address))
  const plain = (address: string) => address.trim().replace(/^::ffff:(?=\d+\.)/, '')
  const peerOf = ({ socket }: IncomingMessage) => plain(socket.remoteAddress ?? '')
  // The last proxy's word counts: what stands before it came from further out.
  const lastOf = (header: string | string[] | undefined) =>
    String(header ?? '')
      .split(',')
      .at(-1)!
      .trim()
  return {
    isOverTls(request) {
      if ('encrypted' in request.socket) return true
      return isTrusted(peerOf(request)) && lastOf(request.headers['x-forwarded-proto']) === 'https'
    },
    addressOf(request) {
      const hops = [
        ...String(request.headers['x-forwarded-for'] ?? '')
          .split(',')
          .map(plain),
        peerOf(request),
      ]
      let at = hops.length - 1
      while (at > 0 && hops[at - 1] !== '' && isTrusted(hops[at]!)) at--
      return hops[at]!
    },
  }
}
