import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '../../server/test/tokens.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { listenBelow } from '../faults/proxy.ts'
import { Api } from '../faults/api.ts'
import type { ServerProcess } from '../faults/processes.ts'
import type { Postgres } from './postgres.ts'

interface Place {
  fixture: TenantFixture
  nodes: readonly ServerProcess[]
  postgres: Postgres
}
interface Delivered {
  good: number
  /** Signed with nothing that the receiver believes. */
  bad: number
  /** Not delivered when all was quiet. */
  left: number
}
interface Registered {
  /** Gives it another secret, the former one counting for so long beside it. */
  rotate(overlapHours: number): Promise<string>
  /** From now on this secret alone. */
  believe(secret: string): void
  /** Ends it once what is due was sent, and tells what became of all. */
  settled(signal: AbortSignal, withinMs?: number): Promise<Delivered>
}
export interface Receiver {
  register(place: Place): Promise<Registered>
  close(): Promise<void>
}
const WITHIN_MS = 15_000

/** Takes webhooks as Standard Webhooks say: 401 to whoever signed with nothing that is known here. */
export async function startReceiver(): Promise<Receiver> {
  const endpoints = new Map<string, { secret: string; good: number; bad: number }>()
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const endpoint = endpoints.get(request.url!)
    if (!endpoint) return void response.writeHead(404).end()
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = request.headers
    const own = createHmac('sha256', Buffer.from(endpoint.secret.slice('whsec_'.length), 'base64'))
      .update(`${String(id)}.${String(at)}.${body}`)
      .digest('base64')
    const isGood = String(signatures).split(' ').includes(`v1,${own}`)
    endpoint[isGood ? 'good' : 'bad']++
    response.writeHead(isGood ? 204 : 401).end()
  })
  const port = await listenBelow(http)
  let serial = 0

  return {
    async register({ fixture, nodes, postgres }) {
      const path = `/hook-${++serial}`
      // The node that is there at the moment; they come and go.
      const post = async (where: string, input: object) => {
        const api = new Api(nodes[0]!.port, fixture.tenant.slug)
        const { status, body } = await api.post(where, tokenOf(fixture.admin), input)
        api.close()
        if (status >= 300) throw new Error(`POST ${where}: ${status} ${body}`)
        return JSON.parse(body) as { id: number; secret: string }
      }
      const { id, secret } = await post('/webhooks/', { url: `http://127.0.0.1:${port}${path}`, events: ['ticket.*'] })
      const endpoint = { secret, good: 0, bad: 0 }
      endpoints.set(path, endpoint)
      return {
        rotate: async (overlap_hours) => (await post(`/webhooks/${id}/rotate-secret/`, { overlap_hours })).secret,
        believe: (next) => void (endpoint.secret = next),
        async settled(signal, withinMs = WITHIN_MS) {
          await postgres.query(`update webhooks set events = array['webhook.ping'] where id = $1`, [id])
          const count = async (states: string) =>
            (
              await postgres.query<{ n: number }>(
                `select count(*)::int as n from webhook_deliveries where webhook_id = $1 and status in (${states})`,
                [id],
              )
            )[0]!.n
          let left = Infinity
          for (let waited = 0; waited < withinMs && left > 0 && !signal.aborted; waited += 200) {
            await sleep(200)
            left = await count(`'pending', 'sending', 'failed'`)
          }
          return { good: endpoint.good, bad: endpoint.bad, left }
        },
      }
    },
    async close() {
      http.close()
      http.closeAllConnections()
      await once(http, 'close').catch(() => {})
    },
  }
}
