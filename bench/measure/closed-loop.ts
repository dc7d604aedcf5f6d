import { startCpu } from './cpu.ts'
import { quantile } from './stats.ts'
import type { Sample } from './sample.ts'

/** Latencies kept of one sample; beyond it the rate still counts every operation. */
const MAX_LATENCIES = 1 << 20

/** Runs one operation for a caller; resolves false when there is no more work. */
export type Call = (caller: number) => Promise<unknown> | false

/**
 * `callers` callers inside this process, each asking again as soon as it was answered.
 * @param call starts one operation; false ends the sample early
 */
export async function closedLoop(postmaster: number, callers: number, seconds: number, call: Call): Promise<Sample> {
  const latencies = new Float64Array(MAX_LATENCIES)
  let done = 0
  let failures = 0
  let firstFailure: unknown
  const cpu = startCpu(postmaster)
  const started = performance.now()
  const deadline = started + seconds * 1000
  const runCaller = async (caller: number) => {
    for (let from = performance.now(); from < deadline;) {
      const answer = call(caller)
      if (answer === false) return
      try {
        await answer
      } catch (error) {
        failures++
        firstFailure ??= error
      }
      const to = performance.now()
      latencies[done++ % MAX_LATENCIES] = to - from
      from = to
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => runCaller(caller)))
  const elapsed = (performance.now() - started) / 1000
  const { server, postgres, busyCores } = cpu()
  if (failures > 0) console.error(`${failures} of ${done} failed, the first with`, firstFailure)
  const sorted = latencies.subarray(0, Math.min(done, MAX_LATENCIES)).toSorted()
  return {
    perSecond: done / elapsed,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    serverMicroseconds: server / done,
    postgresMicroseconds: postgres / done,
    busyCores,
    failures,
  }
}
