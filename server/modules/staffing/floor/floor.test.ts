import { beforeAll, describe, expect, test } from 'vitest'
import type { TenantFixture } from '../../../test/factories.ts'
import { startApp, type TestApp } from '../../../test/app.ts'
import { historyOf } from './history.ts'

describe('the floor of a site', () => {
  let app: TestApp
  let bank: TenantFixture
  let path: string
  beforeAll(async () => {
    app = await startApp()
    bank = await app.aTenant({ slug: 'floor', queues: 2, counters: 2, agents: 2 })
    path = `/api/v1/tenants/floor/sites/${bank.sites[0]!.id}/`
  })
  const ask = async (method: 'GET' | 'POST', url: string, payload?: object, actor = bank.admin) => {
    const answer = await app.app.inject({ method, url, headers: app.as(actor), ...(payload && { payload }) })
    return { status: answer.statusCode, body: answer.json() as Record<string, any> }
  }

  test('its figures are those of each queue’s statistics, and its line of half an hour ends with now', async () => {
    const queue_id = bank.queues[0]!.id
    for (let i = 0; i < 3; i++) await ask('POST', '/api/v1/tenants/floor/tickets/', { queue_id, channel: 'reception' })
    const { body: floor } = await ask('GET', `${path}floor/`)
    for (const tile of floor['queues']) {
      const { body: stats } = await ask('GET', `/api/v1/tenants/floor/queues/${tile.id}/stats/`)
      expect({ waiting: tile.waiting, agents_open: tile.agents_open, eta: tile.eta_seconds }).toEqual({
        waiting: stats['waiting'],
        agents_open: stats['agents_open'],
        eta: stats['eta'].median_seconds,
      })
      for (const line of Object.values(tile.history)) expect(line).toHaveLength(31)
      expect(tile.history.waiting.at(-1)).toBe(tile.waiting)
      expect(tile.history.agents_open.at(-1)).toBe(tile.agents_open)
      expect(tile.history.left.at(-1)).toBe(tile.left_today)
    }
    expect(floor['queues'][0]).toMatchObject({ waiting: 3, came_today: 3, left_today: 0 })
  })

  test('who gives up is counted as left, once', async () => {
    const queue_id = bank.queues[1]!.id
    const { body: ticket } = await ask('POST', '/api/v1/tenants/floor/tickets/', { queue_id, channel: 'reception' })
    await ask('POST', `/api/v1/tenants/floor/tickets/${ticket['id']}/cancel/`, {})
    const { body: floor } = await ask('GET', `${path}floor/`)
    expect(floor['queues'][1]).toMatchObject({ waiting: 0, came_today: 1, left_today: 1 })
  })

  test('an alert that somebody took is taken for everybody; agents may not', async () => {
    const taken = await ask('POST', `${path}acknowledge-alert/`, { alert: 'wait:1' })
    expect(taken.status).toBe(200)
    const { body: floor } = await ask('GET', `${path}floor/`)
    expect(floor['acknowledged']).toEqual([taken.body])
    expect((await ask('POST', `${path}acknowledge-alert/`, { alert: 'wait:1' }, bank.agentActors[0])).status).toBe(403)
    expect((await ask('GET', `${path}floor/`, undefined, bank.agentActors[0])).status).toBe(403)
  })

  test('a day is told event by event, without a hole', async () => {
    const { body: whole } = await ask('GET', `${path}replay/`)
    const offsets = whole['events'].map(({ offset }: { offset: number }) => offset)
    expect(offsets).toEqual(offsets.map((_: number, i: number) => offsets[0] + i))
    const { body: rest } = await ask('GET', `${path}replay/?after=${offsets[1]}`)
    expect(rest['events']).toEqual(whole['events'].slice(2))
    const { body: before } = await ask('GET', `${path}replay/?day=2020-01-01`)
    expect(before['events']).toEqual([])
  })

  test('one word reaches everybody who is there, in their language', async () => {
    const queue_id = bank.queues[0]!.id
    await ask('POST', '/api/v1/tenants/floor/tickets/', { queue_id, channel: 'reception', language: 'ar' })
    const said = await ask('POST', `${path}messages/`, { text: { fr: 'Pause', ar: 'استراحة' } })
    expect(said).toMatchObject({ status: 201, body: { tickets: 4 } })
    const rows = await app.owner(
      `select body, count(*)::int from messages where channel = 'page' group by 1 order by 1`,
    )
    expect(rows).toEqual([
      { body: 'Pause', count: 3 },
      { body: 'استراحة', count: 1 },
    ])
    expect((await ask('POST', `${path}messages/`, { text: {} })).status).toBe(400)
  })
})

test('a line’s half hour follows from stays, agents’ turns and leavings; what is not on record is left out', () => {
  const now = 100 * 60_000
  const minute = (n: number) => now - n * 60_000
  const stays = [
    { entered: minute(20), ended: minute(10) },
    { entered: minute(5), ended: null },
  ]
  const agents = [
    { agent_id: 1, status: 'available', queue_ids: [7] },
    { agent_id: 2, status: 'offline', queue_ids: [7] },
  ]
  const turns = [{ agent_id: 2, at: minute(15), status: 'offline', queue_ids: [7] }]
  const history = historyOf(7, now, stays, [{ at: minute(20), seconds: 60 }], [minute(1)], agents, turns)
  expect(history.waiting.slice(9, 22)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
  expect(history.longest_seconds.at(-1)).toBe(300)
  expect(history.eta_seconds.slice(9, 11)).toEqual([null, 60])
  expect(history.agents_open.slice(14, 16)).toEqual([null, 1])
  expect(history.left.slice(-3)).toEqual([0, 1, 1])
})
