import { expect, test } from 'vitest'
import { reconnect } from '../../test/faults/reconnect.ts'
import { startApp } from '../test/app.ts'

const server = await startApp()

test('followers behind a bad network lose, repeat and mix up nothing; those without recovery do', async () => {
  const fixture = await server.aTenant({ queues: 2, counters: 4, agents: 4 })
  const { port } = new URL(await server.listen())
  const report = await reconnect({
    owner: server.owner,
    fixture,
    ports: [Number(port)],
    clients: 8,
    naiveClients: 3,
    events: 300,
    reconnects: 100,
    maxSeconds: 100,
    seed: 1,
  })
  expect(report.events).toBeGreaterThanOrEqual(300)
  expect(report.clients.reconnects).toBeGreaterThanOrEqual(100)
  expect(report.clients).toMatchObject({ lost: 0, repeated: 0, disordered: 0, gaps: 0, resyncs: 0 })
  expect(report.wrongBoards).toBe(0)
  expect(report.naive.lost).toBeGreaterThan(0)
}, 120_000)
