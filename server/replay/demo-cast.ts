import { fileURLToPath } from 'node:url'
import type { Seat } from './actors.ts'
import type { ApiClient } from './client.ts'
import { castDay, type DemoAgent, type DemoPart } from './demo-plan.ts'
import { planTrace } from './plan.ts'
import { REPLAY_SITE } from './setup.ts'
import { readTrace } from './trace.ts'

/** One real day: 13 January 2020 at Warsaw-Ochota (see NOTICE.txt beside it). */
const DAY_FILE = fileURLToPath(new URL('../../db/demo/warsaw-ochota-day.csv.gz', import.meta.url))

interface Row {
  id: number
}
export interface DemoAgentRow extends Row {
  name: string
  user_id: number | null
  site_id: number
  counter_id: number | null
  queues: { queue_id: number }[]
}

/**
 * Who plays what in a tenant: its agents at their counters and, of the real day, what each queue is given. Agents that
 * `plays` refuses, agents without a counter, and queues nobody of the others serves are left alone.
 */
export async function castTenant(
  client: ApiClient,
  plays: (agent: DemoAgentRow) => boolean,
): Promise<{ agents: (DemoAgent & Seat)[]; parts: DemoPart[] }> {
  const rows = <T extends Row>(path: string) => Array.fromAsync(client.list<T>('demo', path))
  const day = planTrace(await Array.fromAsync(readTrace(DAY_FILE)))
  const sites = await rows<Row & { slug: string }>('/sites/')
  // A replay's queues are its own: a stranger's ticket there would spoil its figures.
  const siteIds = new Set(sites.filter((site) => !site.slug.startsWith(REPLAY_SITE)).map((site) => site.id))
  const services = await rows<Row & { expected_duration_seconds: number }>('/services/')
  const counters = await rows<Row & { site_id: number }>('/counters/')
  const everybody = (await rows<DemoAgentRow>('/agents/')).filter((agent) => siteIds.has(agent.site_id))
  const free = counters.filter((counter) => !everybody.some((agent) => agent.counter_id === counter.id))
  const agents = everybody.filter(plays).flatMap(({ id, site_id, counter_id, queues }): (DemoAgent & Seat)[] => {
    const place = free.findIndex((counter) => counter.site_id === site_id)
    const counterId = counter_id ?? (place < 0 ? undefined : free.splice(place, 1)[0]?.id)
    return counterId === undefined ? [] : [{ id, counterId, queueIds: queues.map((queue) => queue.queue_id) }]
  })
  const queues = await rows<Row & { site_id: number; service_id: number; is_active: boolean }>('/queues/')
  const played = queues
    .filter((queue) => queue.is_active && siteIds.has(queue.site_id))
    .filter((queue) => agents.some((agent) => agent.queueIds.includes(queue.id)))
    .map(({ id, service_id }) => {
      const service = services.find((one) => one.id === service_id)
      return { id, expectedSeconds: service?.expected_duration_seconds ?? 300 }
    })
  return { agents, parts: castDay(day, played, agents) }
}
