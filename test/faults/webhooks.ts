import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Direct } from '../../server/kernel/db/index.ts'
import { sealSecret } from '../../server/modules/webhooks/index.ts'
import { useSigningKeys } from '../../server/modules/authentication/index.ts'
import { aTenant } from '../../server/test/factories.ts'
import { ServerProcess } from './processes.ts'
import { freePort } from './proxy.ts'

export interface WebhooksOptions {
  owner: Direct['query']
  /** Settings of the workers: their database and secret. */
  settings: Record<string, string>
  events: number
  kills: number
  signal: AbortSignal
  maxSeconds: number
  progress(line: string): void
}
export interface WebhooksReport {
  heard: number
  lost: number
  /** Heard more than once: what was on its way when its sender died. */
  again: number
  /** On their way at a kill: whoever notes a message as sent before it is would have lost these. */
  onTheirWay: number
  kills: number
  drainedSeconds: number
  /** From an event to its arrival at a good receiver, while another of the same organisation answers nothing. */
  besideSilence: { events: number; medianMs: number; slowestMs: number; stillSilent: number }
}

const ANSWER_MS = 25
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** Writes events as the log does: the stream's row and its events in one transaction. */
const HAPPEN = `
  with head as (update streams set last_offset = last_offset + $3 where tenant_id = $1 and site_id = $2 returning last_offset)
  insert into events (tenant_id, site_id, "offset", type, actor, data)
  select $1, $2, last_offset - n, 'ticket.called', 'system', '{}' from head, generate_series(0, $3 - 1) n`
const REGISTER = `
  with added as (insert into webhooks (tenant_id, url, secret) values ($1, $2, $3) returning id)
  insert into webhook_cursors (tenant_id, site_id, epoch, "offset", at)
  select tenant_id, site_id, epoch, last_offset, now() from streams where tenant_id = $1 on conflict do nothing`
const LEFT = `
  select count(*)::int as count from webhook_deliveries d join webhooks w on w.tenant_id = d.tenant_id and w.id = d.webhook_id
  where d.tenant_id = $1 and w.url = $2 and d.status <> 'delivered'`
const SENDING = `select count(*)::int as count from webhook_deliveries where tenant_id = $1 and status = 'sending'`
const END_LEASES = `update webhook_deliveries set due_at = now() where tenant_id = $1 and status = 'sending'`

/** Senders that are killed while events happen, and a receiver that answers nothing beside one that does. */
export async function webhooks(options: WebhooksOptions): Promise<WebhooksReport> {
  const { owner, settings, progress, signal } = options
  useSigningKeys(settings['SECRET_KEY']!)
  const heard: string[] = []
  let isAnswering = true
  const http = createServer(async (request, response) => {
    request.resume()
    const id = String(request.headers['webhook-id'])
    if (request.url === '/silent') return
    if (isAnswering) await sleep(ANSWER_MS)
    heard.push(id)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const { tenant, sites } = await aTenant(owner, { slug: 'kill-webhooks' })
  const siteId = sites[0]!.id
  const register = (path: string) => owner(REGISTER, [tenant.id, address + path, sealSecret(SECRET)])
  await register('/')
  const worker = await ServerProcess.start({ ...settings, METRICS_PORT: String(await freePort()) }, 'worker')
  const count = async (sql: string, ...more: unknown[]) =>
    (await owner<{ count: number }>(sql, [tenant.id, ...more]))[0]!.count
  const happen = (n: number) => owner(HAPPEN, [tenant.id, siteId, n])
  try {
    let onTheirWay = 0
    let kills = 0
    const each = Math.floor(options.events / options.kills / 4)
    for (; kills < options.kills && !signal.aborted; kills++) {
      const before = heard.length
      // Some are taken in while others are sent.
      const writing = Promise.all([1, 2, 3, 4].map(() => happen(each)))
      while (heard.length < before + 3 && !signal.aborted) await sleep(5)
      await worker.kill()
      await writing
      const caught = await count(SENDING)
      onTheirWay = onTheirWay + caught
      await owner(END_LEASES, [tenant.id])
      await worker.start()
      progress(`${kills + 1} killed, ${heard.length} heard`)
    }
    const lastKill = performance.now()
    const written = each * 4 * kills
    const isLate = () => performance.now() - lastKill > options.maxSeconds * 1000
    while (!signal.aborted && !isLate() && (new Set(heard).size < written || (await count(LEFT, `${address}/`)) > 0))
      await sleep(50)
    const drainedSeconds = Math.round((performance.now() - lastKill) / 1000)
    const told = new Set(heard).size
    const lost = written - told
    const again = heard.length - told
    progress(`${heard.length} heard after ${drainedSeconds} s`)
    isAnswering = false
    await register('/silent')
    await happen(1)
    const besideSilence = await neighbours({ happen, heard, silent: () => count(SENDING) })
    return { heard: told, lost, again, onTheirWay, kills, drainedSeconds, besideSilence }
  } finally {
    await worker.stop()
    http.closeAllConnections()
    http.close()
  }
}

const NEIGHBOUR_EVENTS = 20
async function neighbours(world: {
  happen(n: number): Promise<unknown>
  heard: string[]
  silent(): Promise<number>
}): Promise<WebhooksReport['besideSilence']> {
  // The silent one has been asked, and answers nothing.
  while ((await world.silent()) === 0) await sleep(20)
  const waits: number[] = []
  for (let i = 0; i < NEIGHBOUR_EVENTS; i++) {
    const before = world.heard.length
    const began = performance.now()
    await world.happen(1)
    while (world.heard.length === before) await sleep(2)
    waits.push(performance.now() - began)
  }
  waits.sort((a, b) => a - b)
  return {
    events: waits.length,
    medianMs: Math.round(waits[waits.length >> 1]!),
    slowestMs: Math.round(waits.at(-1)!),
    stillSilent: await world.silent(),
  }
}
