import { LIVE_STATUSES, TicketStatus } from '../../shared/ticket-status.ts'
import { cancel, complete, type Seat, setStatus, start, type Ticket } from './actors.ts'
import type { ApiClient } from './client.ts'
import type { Stage } from './log.ts'
import { QueueFeed } from './feed.ts'
import { mostOpen, type QueuePlan } from './plan.ts'

interface Row {
  id: number
}
interface AgentRow extends Row {
  name: string
  site_id: number
  status: string
}

/** What the slug of a replay's site begins with. */
export const REPLAY_SITE = 'replay-'

/**
 * Makes what a plan needs in the tenant, or finds it there from an earlier replay: one site, open at all hours, and per
 * queue of the plan a service, a queue, its counters and an agent at each. Tickets an interrupted replay left behind are
 * closed, so that every replay starts with empty queues.
 * @param name what the trace is called; site and services carry it
 * @param dropEvery see QueueFeed
 */
export async function setUp(
  client: ApiClient,
  name: string,
  plan: readonly QueuePlan[],
  dropEvery: number,
): Promise<Stage[]> {
  const slug = `${REPLAY_SITE}${name}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
  const site = await ensure(
    client,
    '/sites/',
    (row: Row & { slug: string }) => row.slug === slug,
    () => ({ name: `Replay ${name}`, slug, opening_hours: null }),
  )
  const services = await Array.fromAsync(client.list<Row & { name: string; code: string }>('set up', '/services/'))
  const queues = await Array.fromAsync(client.list<Row & { site_id: number; service_id: number }>('set up', '/queues/'))
  const counters = await Array.fromAsync(client.list<Row & { site_id: number; name: string }>('set up', '/counters/'))
  const agents = await Array.fromAsync(client.list<AgentRow>('set up', '/agents/'))
  const stages: Stage[] = []
  for (const queue of plan) {
    const title = `${name} ${queue.key}`
    let service = services.find((row) => row.name === title)
    if (!service) {
      service = await client.post('set up', '/services/', {
        name: title,
        code: freeCode(
          queue.key,
          services.map((row) => row.code),
        ),
      })
      services.push(service as (typeof services)[number])
    }
    const serviceId = (service as Row).id
    const found = queues.find((row) => row.site_id === site.id && row.service_id === serviceId)
    const queueId = (
      found ??
      (await client.post<Row>('set up', '/queues/', {
        site_id: site.id,
        service_id: serviceId,
        name: title,
        algorithm: queue.algorithm,
        // A real midnight during the replay is none of the trace's.
        carry_over: true,
      }))
    ).id
    await closeLeftovers(client, queueId)
    const seats: Seat[] = []
    for (let n = 1; n <= mostOpen(queue); n++) {
      const label = `${queue.key} ${n}`
      const counter =
        counters.find((row) => row.site_id === site.id && row.name === label) ??
        (await client.post<Row>('set up', '/counters/', { site_id: site.id, name: label }))
      const known = agents.find((row) => row.site_id === site.id && row.name === label)
      const skills = [{ queue_id: queueId, weight: 1 }]
      const agent =
        known ?? (await client.post<Row>('set up', '/agents/', { site_id: site.id, name: label, queues: skills }))
      const seat = { id: agent.id, counterId: counter.id }
      if (known && known.status !== 'offline') await setStatus(client, seat, 'offline')
      seats.push(seat)
    }
    stages.push({ plan: queue, queueId, seats, feed: new QueueFeed(client, queueId, dropEvery) })
  }
  await Promise.all(stages.map((stage) => stage.feed.open()))
  return stages
}

async function ensure<T extends Row>(
  client: ApiClient,
  path: string,
  isIt: (row: T) => boolean,
  body: () => object,
): Promise<Row> {
  for await (const row of client.list<T>('set up', path)) if (isIt(row)) return row
  return client.post<T>('set up', path, body())
}

/** A code letter group nobody uses yet: the end of the class's name, else R00, R01, … */
export function freeCode(key: string, used: readonly string[]): string {
  const own = key
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .slice(-3)
  if (own !== '' && !used.includes(own)) return own
  for (let n = 0; n < 100; n++) {
    const code = `R${String(n).padStart(2, '0')}`
    if (!used.includes(code)) return code
  }
  throw new Error('the tenant has no free service code left')
}

async function closeLeftovers(client: ApiClient, queueId: number): Promise<void> {
  for (const status of LIVE_STATUSES) {
    const left = await Array.fromAsync(
      client.list<Ticket>('set up', `/tickets/?queue=${queueId}&status=${encodeURIComponent(status)}`),
    )
    for (const ticket of left) {
      if (status === TicketStatus.waiting) await cancel(client, ticket.id)
      if (status === TicketStatus.called) await start(client, ticket.id)
      if (status === TicketStatus.called || status === TicketStatus.serving) await complete(client, ticket.id)
    }
  }
}
