import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  agentsList,
  agentsSetStatus,
  Problem,
  queuesList,
  tenantsGet,
  ticketsCallNext,
  ticketsComplete,
  ticketsNoShow,
  ticketsStart,
  ticketsTake,
} from '../../../../sdk/src/index.ts'
import { complain, print } from '../output.ts'
import { connect, type Kept } from './credentials.ts'

/** In life: from the call to the counter, and at it. */
const WAY_SECONDS = 20
const SERVICE_SECONDS = 240
/** Of a hundred who are called, so many do not come. */
const ABSENT_PERCENT = 6

/**
 * Lets a sandbox live: visitors come at random, each agent calls, serves and calls again. The server's clock stays everybody's;
 * faster than life are only the people. @returns how many came and how many were served
 */
export async function traffic(
  flags: Kept & { rate: string; speed: string; visitors?: string },
  signal?: AbortSignal,
): Promise<{ came: number; served: number }> {
  const { client, tenant } = connect(flags)
  const [rate, speed, most] = [Number(flags.rate), Number(flags.speed), Number(flags.visitors ?? Infinity)]
  if (!(rate > 0) || !(speed > 0) || !(most > 0)) throw new Error('--rate, --speed and --visitors are numbers above 0')
  if (!(await client.call(tenantsGet, {})).is_sandbox)
    throw new Error(`${tenant} is no sandbox. Make one with: smartqueue sandbox create`)
  const queues = (await client.call(queuesList, { limit: 200 })).results.filter(({ is_active }) => is_active)
  const agents = (await client.call(agentsList, { limit: 200 })).results.filter(({ counter_id }) => counter_id !== null)
  if (queues.length === 0 || agents.length === 0)
    throw new Error('it takes a queue that is active and an agent at a counter')
  const count = { came: 0, served: 0, gone: 0 }
  let isOver = false
  const rest = (seconds: number) => sleep((seconds * 1000) / speed, undefined, signal ? { signal } : {})
  /** Around a mean, never regular. */
  const about = (mean: number) => -mean * Math.log(1 - randomInt(1, 1_000_000) / 1_000_001)

  async function come() {
    while (count.came < most) {
      const queue = queues[randomInt(queues.length)]!
      await client.call(ticketsTake, { queue_id: queue.id, channel: 'api' })
      count.came++
      await sleep(about(60 / rate) * 1000, undefined, signal ? { signal } : {})
    }
    isOver = true
  }
  async function serve(id: number) {
    while (!isOver || count.served + count.gone < count.came) {
      try {
        await client.call(agentsSetStatus, { id, status: 'available' })
        const { ticket } = await client.call(ticketsCallNext, { id })
        if (!ticket) {
          await rest(15)
          continue
        }
        await rest(about(WAY_SECONDS))
        if (randomInt(100) < ABSENT_PERCENT) {
          await client.call(ticketsNoShow, { id: ticket.id })
          count.gone++
          continue
        }
        await client.call(ticketsStart, { id: ticket.id })
        await rest(about(SERVICE_SECONDS))
        await client.call(ticketsComplete, { id: ticket.id })
        count.served++
      } catch (error) {
        // Somebody else may use the same counter: that is what a sandbox is for.
        if (!(error instanceof Problem) || error.status === 401) throw error
        if (error.code !== 'agent_busy') complain(`agent ${id}: ${error.code}`)
        await rest(30)
      }
    }
  }
  try {
    await Promise.all([come(), ...agents.map(({ id }) => serve(id))])
  } catch (error) {
    if (!signal?.aborted) throw error
  }
  print(`${count.came} came, ${count.served} were served, ${count.gone} did not come`)
  return { came: count.came, served: count.served }
}
