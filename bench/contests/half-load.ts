import { HTTP, type Bench } from '../bench.ts'
import type { Verdict } from '../goals.ts'
import type { Row } from '../measure/sample.ts'
import { median } from '../measure/stats.ts'
import { TAKE_COLD, takeLoad } from './take.ts'

const CONNECTIONS = 64

/** Takes through HTTP arriving at half the rate that 64 callers reached, whatever the answers: the tail of the latency. */
export async function halfLoad(bench: Bench, rows: readonly Row[]): Promise<Verdict[]> {
  const { driver, world, effort, log } = bench
  const full = rows.find((row) => row.contest === TAKE_COLD && row.subject === HTTP && row.callers === CONNECTIONS)
  if (!full) return []
  const rate = full.sample.perSecond / 2
  const load = { ...takeLoad(bench, { first: world.firstQueue, count: world.queues }), connections: CONNECTIONS, rate }
  await driver.run({ ...load, seconds: effort.warmSeconds })
  const tails: number[] = []
  for (let repetition = 0; repetition < effort.repetitions; repetition++) {
    const { p50Ms, p99Ms } = await driver.run({ ...load, seconds: effort.seconds })
    tails.push(p99Ms / p50Ms)
    log(`take through HTTP at ${Math.round(rate)}/s: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`)
  }
  return [{ text: 'take through HTTP at half load: p99 by p50', atMost: 5, measured: median(tails) }]
}
