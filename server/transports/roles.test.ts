import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ServerProcess } from '../../test/faults/processes.ts'
import { freePort } from '../../test/faults/proxy.ts'
import { useSigningKeys } from '../modules/authentication/index.ts'
import { aTenant } from '../test/factories.ts'
import { testDatabase } from '../test/harness.ts'
import { tokenOf } from '../test/tokens.ts'

const { owner, url, directUrl } = await testDatabase()
const secretKey = randomBytes(48).toString('base64url')
useSigningKeys(secretKey)
const t = await aTenant(owner, { slug: 'roles' })
const token = tokenOf(t.admin)
const started: ServerProcess[] = []
afterAll(() => Promise.all(started.map((server) => server.stop())))

/** What a process with these roles answers on its ports; null where nobody listens. */
async function tour(roles: string) {
  const metricsPort = await freePort()
  const settings = {
    DATABASE_URL: url,
    DATABASE_DIRECT_URL: directUrl,
    SECRET_KEY: secretKey,
    DATA_DIR: tmpdir(),
    METRICS_PORT: String(metricsPort),
  }
  const server = await ServerProcess.start(settings, roles)
  started.push(server)
  const status = (port: number, path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } }).then(
      (answer) => answer.status,
      () => null,
    )
  return {
    rest: await status(server.port, '/api/v1/queues/'),
    documents: await status(server.port, '/api/v1/openapi.json'),
    feed: await feedStatus(server.port),
    health: [await status(server.port, '/healthz'), await status(server.port, '/readyz')],
    apart: [
      await status(metricsPort, '/healthz'),
      await status(metricsPort, '/readyz'),
      await status(metricsPort, '/metrics'),
    ],
    doesJobs: await doesJobs(roles === 'worker' ? 60_000 : 1500),
  }
}

async function feedStatus(port: number): Promise<number | null> {
  const path = `/ws/tenants/roles/queues/${t.queues[0]!.id}/`
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['smartqueue.v1', `bearer.${token}`])
  const refused = once(socket, 'unexpected-response') as Promise<[unknown, { statusCode: number }]>
  refused.catch(() => {})
  const answer = await Promise.race([
    once(socket, 'message').then(() => 101),
    refused.then(([, { statusCode }]) => statusCode),
    once(socket, 'close').then(() => null),
  ]).catch(() => null)
  socket.terminate()
  return answer
}

/** Whether a job is taken so soon: who takes any does so at once, unless the machine is busy. */
async function doesJobs(timeout: number): Promise<boolean> {
  await owner(`select graphile_worker.add_job('tickets.sweep_timers', '{}'::json, job_key => 'tour')`)
  const left = async () =>
    (
      await owner<{ left: number }>(
        `select count(*)::int as left from graphile_worker.jobs where key = 'tour' and locked_at is null`,
      )
    )[0]!.left
  return expect
    .poll(left, { timeout, interval: 100 })
    .toBe(0)
    .then(
      () => true,
      () => false,
    )
}

test('each role starts what it needs and nothing else', async () => {
  const all = { health: [200, 200], apart: [200, 200, 200] }
  const tours = [await tour('api'), await tour('realtime')]
  expect(tours[0]).toEqual({ rest: 200, documents: 200, feed: 404, ...all, doesJobs: false })
  expect(tours[1]).toEqual({ rest: 404, documents: 404, feed: 101, ...all, doesJobs: false })
  expect(await tour('worker')).toEqual({
    rest: null,
    documents: null,
    feed: null,
    health: [null, null],
    apart: [200, 200, 200],
    doesJobs: true,
  })
}, 180_000)
