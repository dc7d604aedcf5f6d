import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ServerProcess } from '../../../test/faults/processes.ts'
import { freePort } from '../../../test/faults/proxy.ts'
import { aTenant } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { whenOver } from '../../test/when-over.ts'
import { useSigningKeys } from '../authentication/index.ts'
import { operations, useWebhooks } from './index.ts'

const EVENTS = 48
const KILLS = 1
const ANSWER_MS = 25
const { db, owner, url, directUrl } = await testDatabase()
const secretKey = randomBytes(48).toString('base64url')

/** Writes events as the log does: the stream's row and its events in one transaction. */
const happen = (tenantId: number, siteId: number, count: number) =>
  owner(
    `with head as (update streams set last_offset = last_offset + $3 where tenant_id = $1 and site_id = $2 returning last_offset)
     insert into events (tenant_id, site_id, "offset", type, actor, data)
     select $1, $2, last_offset - n, 'ticket.called', 'system', '{}' from head, generate_series(0, $3 - 1) n`,
    [tenantId, siteId, count],
  )

test('senders that are killed at any moment leave no event untold', { timeout: 120_000 }, async () => {
  useSigningKeys(secretKey)
  useWebhooks({ allowedNetworks: ['127.0.0.1'], ports: [443], timeoutMs: 5000 })
  const heard: string[] = []
  let arrived = 0
  const http = createServer(async (request, response) => {
    arrived++
    request.resume()
    await sleep(ANSWER_MS)
    heard.push(String(request.headers['webhook-id']))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  whenOver(() => void http.close().closeAllConnections())
  const t = await aTenant(owner)
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
  const run = caller(testRuntime(db), operations)(t.admin, t.tenant)
  await run('webhooks.create', { url: address, events: ['ticket.*'] })
  const worker = await ServerProcess.start(
    {
      DATABASE_URL: url,
      DATABASE_DIRECT_URL: directUrl,
      SECRET_KEY: secretKey,
      DATA_DIR: tmpdir(),
      METRICS_PORT: String(await freePort()),
    },
    'worker',
  )
  whenOver(() => worker.stop())
  const siteId = t.sites[0]!.id
  let onTheirWay = 0
  for (let i = 1; i <= KILLS; i++) {
    const before = arrived
    // Some are taken in while others are sent.
    const writing = Promise.all([1, 2, 3, 4].map(() => happen(t.tenant.id, siteId, EVENTS / KILLS / 4)))
    await expect.poll(() => arrived).toBeGreaterThan(before + 3)
    await worker.kill()
    await writing
    const rows = await owner(`select from webhook_deliveries where tenant_id = $1 and status = 'sending'`, [
      t.tenant.id,
    ])
    onTheirWay += rows.length
    // Its leases end by the database's clock.
    await owner(`update webhook_deliveries set due_at = now() where tenant_id = $1 and status = 'sending'`, [
      t.tenant.id,
    ])
    await worker.start()
  }
  await expect.poll(() => new Set(heard).size, { timeout: 60_000 }).toBe(EVENTS)
  const left = async () =>
    (await owner(`select from webhook_deliveries where tenant_id = $1 and status <> 'delivered'`, [t.tenant.id])).length
  await expect.poll(left).toBe(0)
  // Control: whoever notes a message as sent before it is would have lost those that were on their way.
  expect(onTheirWay).toBeGreaterThan(0)
  await worker.stop()
})
