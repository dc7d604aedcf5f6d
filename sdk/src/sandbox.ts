/** What people do in a sandbox: one event made to happen, and visitors who come and are served. Works with any client of the operations. */
import type { Operation } from './operation.ts'
import {
  agentsGet,
  agentsList,
  agentsSetStatus,
  queuesList,
  tenantsGet,
  ticketsCall,
  ticketsCallNext,
  ticketsCancel,
  ticketsComplete,
  ticketsDelay,
  ticketsHold,
  ticketsNoShow,
  ticketsRecall,
  ticketsResume,
  ticketsReturn,
  ticketsStart,
  ticketsTake,
  ticketsTransfer,
  ticketsUpdate,
} from './operations.ts'

/** Runs operations in one organisation. */
export interface Caller {
  call<Input, Output>(
    operation: Operation<Input, Output>,
    input: Omit<Input, 'tenant'> & { tenant?: string },
  ): Promise<Output>
}

/** A second call may come some seconds after the first only. */
const RECALL_EVERY_MS = 1000
/** In life: from the call to the counter, and at it. */
const WAY_SECONDS = 20
const SERVICE_SECONDS = 240
const IDLE_SECONDS = 15
/** Of a hundred who are called, so many do not come. */
const ABSENT_PERCENT = 6

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code
const statusOf = (error: unknown): number | undefined => (error as { status?: number } | null)?.status

/** Ends early when the signal says so. @throws the signal's reason */
const rest = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })

interface Scene {
  client: Caller
  /** Of the ticket that it is about. */
  id: number
  queueId: number
  otherQueueId: number | undefined
  agentId: number
}
type Act = (scene: Scene) => Promise<unknown>

const call: Act = ({ client, id, agentId }) => client.call(ticketsCall, { id, agent_id: agentId })
const recall: Act = async ({ client, id }) => {
  for (;;) {
    try {
      return await client.call(ticketsRecall, { id })
    } catch (error) {
      if (codeOf(error) !== 'recall_too_soon') throw error
      await rest(RECALL_EVERY_MS)
    }
  }
}
const start: Act = ({ client, id }) => client.call(ticketsStart, { id })
const hold: Act = ({ client, id }) => client.call(ticketsHold, { id })
/** What has to be done, after a ticket was taken, until each event happens. */
const ACTS: Readonly<Record<string, readonly Act[]>> = {
  'ticket.created': [],
  'ticket.called': [call],
  'ticket.recalled': [call, recall],
  'ticket.started': [call, start],
  'ticket.held': [call, start, hold],
  'ticket.resumed': [call, start, hold, ({ client, id }) => client.call(ticketsResume, { id })],
  'ticket.completed': [call, start, ({ client, id }) => client.call(ticketsComplete, { id })],
  'ticket.no_show': [call, ({ client, id }) => client.call(ticketsNoShow, { id })],
  'ticket.returned': [call, ({ client, id }) => client.call(ticketsReturn, { id })],
  'ticket.transferred': [
    ({ client, id, otherQueueId }) => {
      if (otherQueueId === undefined) throw new Error('a transfer needs a second queue at the site')
      return client.call(ticketsTransfer, { id, queue_id: otherQueueId })
    },
  ],
  'ticket.cancelled': [({ client, id }) => client.call(ticketsCancel, { id })],
  'ticket.delayed': [
    async ({ client, id, queueId }) => {
      // Somebody must be there to be let pass.
      await client.call(ticketsTake, { queue_id: queueId, channel: 'api' })
      await client.call(ticketsDelay, { id, places: 1 })
    },
  ],
  'ticket.updated': [({ client, id }) => client.call(ticketsUpdate, { id, labels: ['triggered'] })],
}
/** Types of events that can be made to happen. */
export const TRIGGERS: readonly string[] = Object.keys(ACTS)

async function checkSandbox(client: Caller): Promise<void> {
  const { is_sandbox, slug } = await client.call(tenantsGet, {})
  if (!is_sandbox)
    throw new Error(`${slug} is no sandbox: its people would see it. Make one with: smartqueue sandbox create`)
}

/**
 * Makes an event happen as people would: nothing is made up. In a sandbox only.
 * @returns the ticket that it happened to
 */
export async function trigger(client: Caller, event: string): Promise<{ id: number; number: string }> {
  const acts = ACTS[event]
  if (!acts) throw new Error(`${event} cannot be triggered; these can: ${TRIGGERS.join(', ')}`)
  await checkSandbox(client)
  const { results: agents } = await client.call(agentsList, { limit: 200 })
  const { results: queues } = await client.call(queuesList, { limit: 200 })
  const agent = agents.find(({ counter_id, status }) => counter_id !== null && !['calling', 'serving'].includes(status))
  const own = queues.filter(({ site_id, is_active }) => site_id === agent?.site_id && is_active)
  if (!agent || !own[0]) throw new Error('nobody is free: it takes an agent at a counter and a queue that is active')
  if (acts.includes(call) && agent.status !== 'available')
    await client.call(agentsSetStatus, { id: agent.id, status: 'available' })
  const served = await client.call(agentsGet, { id: agent.id })
  const queueId =
    served.queues.map(({ queue_id }) => queue_id).find((id) => own.some((queue) => queue.id === id)) ?? own[0].id
  const ticket = await client.call(ticketsTake, { queue_id: queueId, channel: 'api' })
  const otherQueueId = own.find(({ id }) => id !== queueId)?.id
  for (const act of acts) await act({ client, id: ticket.id, queueId, otherQueueId, agentId: agent.id })
  return ticket
}

export interface TrafficOptions {
  /** Visitors a minute, by the clock of everybody. */
  rate: number
  /** How much faster than life people walk and are served. */
  speed: number
  /** Ends after so many; goes on until `signal` when absent. */
  visitors?: number
  signal?: AbortSignal
  onCount?(count: Readonly<TrafficCount>): void
  /** A refusal after which the agent goes on a little later. */
  onRefusal?(agentId: number, code: string): void
}
export interface TrafficCount {
  came: number
  served: number
  /** Were called and did not come. */
  gone: number
}

/**
 * Lets a sandbox live: visitors come at random, each agent calls, serves and calls again. The server's clock stays everybody's;
 * faster than life are only the people.
 */
export async function traffic(client: Caller, options: TrafficOptions): Promise<TrafficCount> {
  const { rate, speed, visitors: most = Infinity, signal } = options
  await checkSandbox(client)
  const queues = (await client.call(queuesList, { limit: 200 })).results.filter(({ is_active }) => is_active)
  const agents = (await client.call(agentsList, { limit: 200 })).results.filter(({ counter_id }) => counter_id !== null)
  if (queues.length === 0 || agents.length === 0)
    throw new Error('it takes a queue that is active and an agent at a counter')
  const count: TrafficCount = { came: 0, served: 0, gone: 0 }
  const add = (what: keyof TrafficCount) => {
    count[what] += 1
    options.onCount?.(count)
  }
  let isOver = false
  const pause = (seconds: number) => rest((seconds * 1000) / speed, signal)
  /** Around a mean, never regular. */
  const about = (mean: number) => -mean * Math.log(1 - Math.random())

  async function come() {
    while (count.came < most) {
      const queue = queues[Math.floor(Math.random() * queues.length)]!
      await client.call(ticketsTake, { queue_id: queue.id, channel: 'api' })
      add('came')
      await rest(about(60 / rate) * 1000, signal)
    }
    isOver = true
  }
  async function serve(id: number) {
    while (!isOver || count.served + count.gone < count.came) {
      try {
        await client.call(agentsSetStatus, { id, status: 'available' })
        const { ticket } = await client.call(ticketsCallNext, { id })
        if (!ticket) {
          await pause(IDLE_SECONDS)
          continue
        }
        await pause(about(WAY_SECONDS))
        if (Math.random() * 100 < ABSENT_PERCENT) {
          await client.call(ticketsNoShow, { id: ticket.id })
          add('gone')
          continue
        }
        await client.call(ticketsStart, { id: ticket.id })
        await pause(about(SERVICE_SECONDS))
        await client.call(ticketsComplete, { id: ticket.id })
        add('served')
      } catch (error) {
        // Somebody else may use the same counter: that is what a sandbox is for.
        const code = codeOf(error)
        if (signal?.aborted || code === undefined || statusOf(error) === undefined || statusOf(error) === 401)
          throw error
        if (code !== 'agent_busy') options.onRefusal?.(id, code)
        await pause(2 * IDLE_SECONDS)
      }
    }
  }
  try {
    await Promise.all([come(), ...agents.map(({ id }) => serve(id))])
  } catch (error) {
    if (!signal?.aborted) throw error
  }
  return count
}
