import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { whenOver } from '../../server/test/when-over.ts'

interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}
/** Far more than anybody reads. */
const HUGE_BYTES = 64 * 1024 * 1024
const DRIP_MS = 50

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  whenOver(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Servers that take webhooks as servers in the world do: each path in its own way. */
export async function receivers() {
  const received: Received[] = []
  const written = { huge: 0 }
  const sockets = new Set<Socket>()
  const of = (path: string) => received.filter((one) => one.path === path)

  async function drip(response: ServerResponse) {
    response.writeHead(200)
    while (!response.destroyed) {
      response.write('.')
      await sleep(DRIP_MS)
    }
  }
  function* flood() {
    for (const chunk = Buffer.alloc(64 * 1024, 'x'); written.huge < HUGE_BYTES; written.huge += chunk.length)
      yield chunk
  }
  const answers: Record<string, (response: ServerResponse) => unknown> = {
    '/ok': (response) => response.end('thank you'),
    '/no-content': (response) => response.writeHead(204).end(),
    '/flaky': (response) => response.writeHead(of('/flaky').length === 1 ? 500 : 200).end('stumbled'),
    '/timeout': () => {},
    '/drip': drip,
    '/reset': (response) => (response.socket as Socket).resetAndDestroy(),
    '/gone': (response) => response.writeHead(410).end(),
    '/busy': (response) => response.writeHead(429, { 'retry-after': '120' }).end(),
    '/redirect': (response) => response.writeHead(307, { location: '/secret' }).end(),
    '/huge': (response) => Readable.from(flood()).pipe(response),
    '/down': (response) => response.writeHead(503).end(),
  }
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    received.push({ path: request.url!, headers: request.headers, body })
    await (answers[request.url!] ?? ((other: ServerResponse) => other.end()))(response)
  })
  const port = await listening(http)
  whenOver(() => http.closeAllConnections())
  const garbagePort = await listening(
    createTcp((socket) => {
      sockets.add(socket.on('error', () => {}))
      socket.write('220 this is no web server\r\n')
    }),
  )
  whenOver(() => sockets.forEach((socket) => socket.destroy()))
  return {
    received,
    of,
    written,
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    port,
    garbage: `http://127.0.0.1:${garbagePort}/`,
    badTls: `https://127.0.0.1:${garbagePort}/`,
  }
}
