import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { registry } from '../kernel/metrics.ts'

/** Serves `/metrics`, `/healthz` and `/readyz` on a port of their own, which need not be reachable from outside. */
export async function serveMetrics(port: number, host: string, isReady: () => Promise<boolean>): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', isReady).then(
      ([status, type, body]) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(500).end(),
    )
  }).listen(port, host)
  await once(server, 'listening')
  return server
}

async function answer(path: string, isReady: () => Promise<boolean>): Promise<[number, string, string]> {
  const json = 'application/json; charset=utf-8'
  if (path === '/metrics') return [200, registry.contentType, await registry.metrics()]
  if (path === '/healthz') return [200, json, '{"status":"ok"}']
  if (path !== '/readyz') return [404, json, '{"status":"not found"}']
  return (await isReady()) ? [200, json, '{"status":"ok"}'] : [503, json, '{"status":"not ready"}']
}
