import { setTimeout as sleep } from 'node:timers/promises'
import {
  agentsGet,
  Problem,
  agentsList,
  agentsSetStatus,
  queuesList,
  tenantsGet,
  ticketsCall,
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
  type SmartQueue,
} from '../../../../sdk/src/index.ts'
import { print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

const RECALL_EVERY_MS = 1000

interface Scene {
  client: SmartQueue
  /** Of the ticket that it is about. */
  id: number
  queueId: number
  otherQueueId: number | undefined
  agentId: number
}
type Act = (scene: Scene) => Promise<unknown>

const call: Act = ({ client, id, agentId }) => client.call(ticketsCall, { id, agent_id: agentId })
/** A second call may come some seconds after the first only. */
const recall: Act = async ({ client, id }) => {
  for (;;) {
    try {
      return await client.call(ticketsRecall, { id })
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'recall_too_soon') throw error
      await sleep(RECALL_EVERY_MS)
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

/** Makes an event happen as people would: nothing is made up. In a sandbox only. */
export async function trigger(event: string, flags: Kept): Promise<void> {
  const { client, tenant } = connect(flags)
  const acts = ACTS[event]
  if (!acts) throw new Error(`${event} cannot be triggered; these can: ${Object.keys(ACTS).join(', ')}`)
  if (!(await client.call(tenantsGet, {})).is_sandbox)
    throw new Error(`${tenant} is no sandbox: its people would see it. Make one with: smartqueue sandbox create`)
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
  print(`${event}: ticket ${ticket.number} (${ticket.id})`)
}
