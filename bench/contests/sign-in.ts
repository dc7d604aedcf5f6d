import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import type { Verdict } from '../goals.ts'
import type { CrowdOrder, CrowdResult } from '../http/crowd.ts'
import { requestHead } from '../http/driver.ts'
import { median } from '../measure/stats.ts'
import { equally, fillQueues, queueIds } from '../world.ts'

/** Calls per second: a large site at its busiest. */
const RATE = 100
const SIGN_INS = 100
const PAUSE_MS = 1000
/** The 99th percentile of a window needs some hundreds of calls, and the median some windows. */
const WINDOW_SECONDS = 6
const WINDOWS_PER_REPETITION = 3
/** The crowd has come before the window opens. */
const SETTLE_MS = 1000

/**
 * A hundred people who sign in at once must not make the counters wait: hashing has one slot in a process that gives way.
 * Callers and crowd have a process each. Idle and busy windows take turns, so that what else the machine does falls on
 * both alike; each side's figure is the median of its windows.
 */
export async function signIn(bench: Bench): Promise<Verdict[]> {
  const { server, cluster, world, driver, effort, log } = bench
  const windows = effort.repetitions * WINDOWS_PER_REPETITION
  const waiting = equally(queueIds(world), Math.ceil((1.2 * RATE * WINDOW_SECONDS) / world.queues) + 1)
  const head = requestHead('POST', `/api/v1/tenants/${world.slug}/agents/{id}/call-next/`, {
    Authorization: `Bearer ${server.token}`,
  })
  const window = async () => {
    const { p99Ms, failures, firstFailure } = await driver.run({
      port: server.port,
      head,
      body: '',
      ids: { first: world.firstAgent, count: world.agents, wrap: false },
      connections: 16,
      rate: RATE,
      seconds: WINDOW_SECONDS,
    })
    if (failures > 0) throw new Error(`${failures} calls failed, the first with\n${firstFailure}`)
    return p99Ms
  }
  const refill = () => fillQueues(cluster.direct, world, waiting)
  await refill()
  await window()
  const idle: number[] = []
  const busy: number[] = []
  for (let n = 1; n <= windows; n++) {
    await refill()
    idle.push(await window())
    await refill()
    const crowd = startCrowd({ port: server.port, people: SIGN_INS, pauseMs: PAUSE_MS })
    await delay(SETTLE_MS)
    busy.push(await window())
    const { attempts, checked } = await crowd.stop()
    log(
      `call-next at ${RATE}/s, window ${n} of ${windows}: p99 ${idle.at(-1)!.toFixed(2)} ms, ` +
        `beside ${attempts} sign-ins (${checked} of them hashed) ${busy.at(-1)!.toFixed(2)} ms`,
    )
  }
  const range = (values: readonly number[]) =>
    `${median(values).toFixed(2)} ms (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`
  log(`median p99: ${range(idle)} alone, ${range(busy)} beside them`)
  const measured = median(busy) / median(idle)
  return [{ text: `call-next beside ${SIGN_INS} parallel sign-ins: p99 by p99 alone`, atMost: 2, measured }]
}

function startCrowd(order: CrowdOrder) {
  const child = fork(new URL('../http/crowd.ts', import.meta.url), { stdio: 'inherit' })
  child.send(order)
  return {
    async stop(): Promise<CrowdResult> {
      child.send('stop')
      const [result] = (await once(child, 'message')) as [CrowdResult]
      return result
    },
  }
}
