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

/** The same question for requests that become sockets, which never meet a hook. */
export function tlsCheck(trustedProxies: readonly string[]): (request: IncomingMessage) => boolean {
  const trusted = new BlockList()
  const family = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')
  for (const entry of trustedProxies) {
    const [address = '', bits] = entry.split('/')
    if (bits === undefined) trusted.addAddress(address, family(address))
    else trusted.addSubnet(address, Number(bits), family(address))
  }
  return ({ socket, headers }) => {
    if ('encrypted' in socket) return true
    const peer = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '')
    // The last proxy's word counts: what stands before it came from further out.
    const said = String(headers['x-forwarded-proto'] ?? '')
      .split(',')
      .at(-1)
    return trusted.check(peer, family(peer)) && said?.trim() === 'https'
  }
}
