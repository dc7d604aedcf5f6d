import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { applySite, type SiteEvent, type SiteView } from '../../shared/views.ts'
import { startApp } from '../test/app.ts'
import { ConnectedPeople } from './presence.ts'
import type { Connection } from './connection.ts'

const server = await startApp()
const { aTenant, tokenOf, owner } = server
const base = (await server.listen()).replace('http', 'ws')
const t = await aTenant({ slug: 'live', agents: 2, counters: 2 })

function open(path: string, token: string): WebSocket {
  const socket = new WebSocket(`${base}/ws/tenants/live${path}`, ['smartqueue.v1', `bearer.${token}`])
  socket.on('error', () => {})
  return socket
}
const agentPath = `/agents/${t.agents[0]!.id}/`

test('supervisors see agents come as they connect; who looks over their shoulder is not them', async () => {
  let view: SiteView | undefined
  const types: string[] = []
  const site = open(`/sites/${t.sites[0]!.id}/`, tokenOf(t.supervisor))
  site.on('message', (data) => {
    const frame = JSON.parse(String(data)) as SiteEvent
    types.push(frame.type)
    view = view ? applySite(view, frame) : (frame as unknown as SiteView)
  })
  const online = () => view?.agents.filter(({ is_online }) => is_online).map(({ id }) => id)
  await expect.poll(online).toEqual([])
  const watcher = open(agentPath, tokenOf(t.supervisor))
  await delay(400)
  expect(online()).toEqual([])
  const tabs = [open(agentPath, tokenOf(t.agentActors[0]!)), open(agentPath, tokenOf(t.agentActors[0]!))]
  await expect.poll(online).toEqual([t.agents[0]!.id])
  // One tab goes, then the other reloads: nothing changes.
  tabs[0]!.terminate()
  tabs[1]!.terminate()
  const again = open(agentPath, tokenOf(t.agentActors[0]!))
  await delay(1000)
  expect(types).toEqual(['snapshot', 'presence.changed'])
  // All gone, for longer than a reload takes.
  again.terminate()
  await delay(400)
  await owner(`update presences set last_seen_at = last_seen_at - interval '21 seconds'`)
  await expect.poll(online).toEqual([])
  await expect.poll(() => view!.agents[0]!.status).toBe('offline')
  expect(types).toEqual(['snapshot', 'presence.changed', 'presence.changed', 'agent.status_changed'])
  for (const socket of [site, watcher]) socket.terminate()
})

test('several connections are one agent, reported as long as one of them is there', async () => {
  const reports: number[][] = []
  const people = new ConnectedPeople({
    report: async (_, { agent_ids }) => void reports.push(agent_ids),
    sweep: async () => {},
    onError: (error) => expect.unreachable(String(error)),
    reportEveryMs: 50,
  })
  const connections = Array.from(
    { length: 3 },
    () => ({ tenant: t.tenant, presence: { kind: 'agent', id: 7 } }) as unknown as Connection,
  )
  for (const connection of connections) people.came(connection)
  people.went(connections[0]!)
  people.went(connections[1]!)
  await expect.poll(() => reports.length).toBeGreaterThan(2)
  expect(reports.every((ids) => String(ids) === '7')).toBe(true)
  people.went(connections[2]!)
  // Once more, because it was there until now; then no more.
  await delay(300)
  const { length } = reports
  await delay(300)
  expect(reports).toHaveLength(length)
  people.stop()
})
