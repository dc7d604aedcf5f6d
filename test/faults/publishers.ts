import { setTimeout as sleep } from 'node:timers/promises'
import type { TenantFixture } from '../../server/test/factories.ts'
import { tokenOf } from '../../server/test/tokens.ts'
import type { Api } from './api.ts'

export interface PublishOptions {
  fixture: TenantFixture
  apis: readonly Api[]
  random: () => number
  /** Mean pause after each act. */
  pauseMs: number
  isOver(): boolean
}

interface Ticket {
  id: number
  queue_id: number
}

/**
 * One publisher per agent of the fixture, each living the counter's day through the real operations until `isOver`.
 * Resolves with the number of acts that were done and of those the server refused by its rules.
 */
export async function publish(options: PublishOptions): Promise<{ done: number; refused: number }> {
  const count = { done: 0, refused: 0 }
  await Promise.all(options.fixture.agents.map((_, n) => work(n, options, count)))
  return count
}

async function work(
  n: number,
  { fixture, apis, random, pauseMs, isOver }: PublishOptions,
  count: { done: number; refused: number },
) {
  const agent = fixture.agents[n]!
  const token = tokenOf(fixture.agentActors[n]!, 3600)
  const [queue, other] = fixture.queues.map(({ id }) => id)
  const chance = (probability: number) => random() < probability

  async function act<Output>(path: string, input: object = {}): Promise<Output | null> {
    const api = apis[Math.floor(random() * apis.length)]!
    const { status, body } = await api.post(path, token, input)
    if (status >= 500) throw new Error(`POST ${path}: ${status} ${body}`)
    if (status >= 400) count.refused++
    else count.done++
    await sleep(pauseMs * 2 * random())
    return status < 400 ? (JSON.parse(body) as Output) : null
  }

  while (!isOver()) {
    const taken = await act<Ticket>('/tickets/', { queue_id: chance(0.8) ? queue : other, channel: 'reception' })
    if (taken && chance(0.1)) await act(`/tickets/${taken.id}/${chance(0.5) ? 'cancel' : 'delay'}/`)
    if (chance(0.1)) {
      await act(`/agents/${agent.id}/set-status/`, { status: 'break' })
      await act(`/agents/${agent.id}/set-status/`, { status: 'available' })
    }
    const called = await act<{ ticket: Ticket | null }>(`/agents/${agent.id}/call-next/`)
    if (!called?.ticket) continue
    const path = `/tickets/${called.ticket.id}`
    if (chance(0.1)) {
      await act(`${path}/no-show/`)
      if (chance(0.5)) await act(`${path}/return/`)
      continue
    }
    await act(`${path}/start/`)
    const elsewhere = called.ticket.queue_id === queue ? other : queue
    if (chance(0.15) && (await act(`${path}/transfer/`, { queue_id: elsewhere }))) continue
    if (chance(0.1)) {
      await act(`${path}/hold/`)
      await act(`${path}/resume/`)
    }
    await act(`${path}/complete/`)
    if (chance(0.05) && (await act(`${path}/undo/`))) await act(`${path}/complete/`)
  }
}
