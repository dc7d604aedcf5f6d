import type { Bench } from '../bench.ts'
import type { Verdict } from '../goals.ts'
import { requestHead } from '../http/driver.ts'
import { median } from '../measure/stats.ts'
import { equally, fillQueues, queueIds } from '../world.ts'

/** Calls per second: a large site at its busiest. */
const RATE = 100
const SIGN_INS = 100
/** A person who is refused looks at the message before trying again. */
const RETRY_MS = 1000

/** A hundred people who sign in at once must not make the counters wait: hashing has its own few slots. */
export async function signIn(bench: Bench): Promise<Verdict[]> {
  const { server, cluster, world, driver, effort, log } = bench
  const seconds = Math.min(effort.seconds, Math.floor(world.agents / RATE))
  const waiting = equally(queueIds(world), Math.ceil((1.2 * world.agents) / world.queues))
  const head = requestHead('POST', `/api/v1/tenants/${world.slug}/agents/{id}/call-next/`, {
    Authorization: `Bearer ${server.token}`,
  })
  const calls = async () => {
    await fillQueues(cluster.direct, world, waiting)
    return driver.run({
      port: server.port,
      head,
      body: '',
      ids: { first: world.firstAgent, count: world.agents, wrap: false },
      connections: 16,
      rate: RATE,
      seconds,
    })
  }
  await calls()
  const ratios: number[] = []
  for (let repetition = 0; repetition < effort.repetitions; repetition++) {
    const idle = await calls()
    const crowd = startCrowd(server.port)
    const crowded = await calls()
    const attempts = await crowd.stop()
    ratios.push(crowded.p99Ms / idle.p99Ms)
    log(
      `call-next at ${RATE}/s: p99 ${idle.p99Ms.toFixed(2)} ms, beside ${attempts} sign-ins ${crowded.p99Ms.toFixed(2)} ms`,
    )
  }
  return [
    { text: `call-next beside ${SIGN_INS} parallel sign-ins: p99 by p99 alone`, atMost: 2, measured: median(ratios) },
  ]
}

/** Keeps so many sign-ins under way until stopped; most are refused at the door, as they should be. */
function startCrowd(port: number) {
  let isOver = false
  let attempts = 0
  const person = async (n: number) => {
    while (!isOver) {
      attempts++
      const body = JSON.stringify({ email: `nobody${n}-${attempts}@bench.example`, password: 'not the password' })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/token/`, { method: 'POST', headers, body })
      await answer.arrayBuffer()
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
  const people = Array.from({ length: SIGN_INS }, (_, n) => person(n))
  return {
    async stop(): Promise<number> {
      isOver = true
      await Promise.all(people)
      return attempts
    },
  }
}
