import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Direct } from '../../server/kernel/db/index.ts'
import { aTenant } from '../../server/test/factories.ts'

export interface JobsOptions {
  owner: Direct['query']
  url: string
  directUrl: string
  /** Of each kind: those that settle with their effect, and those that do not. */
  jobs: number
  workers: number
  kills: number
  signal: AbortSignal
  maxSeconds: number
  progress(line: string): void
}
export interface JobsReport {
  done: number
  lost: number
  double: number
  kills: number
  /** From the last kill until nothing was left. */
  drainedSeconds: number
  /** Jobs that the stopped worker held when it went on. */
  zombieHeld: number
  naiveDouble: number
}

/** A worker is taken for dead after 20 s without a word. */
const LONGER_THAN_A_LEASE_MS = 27_000
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

async function start({ url, directUrl }: JobsOptions): Promise<ChildProcess> {
  const args = ['--import', file('with-parent.ts'), file('job-worker.ts'), url, directUrl]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  // Its only word is that it is ready.
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  if (child.exitCode !== null) throw new Error('the worker does not start')
  return child
}
async function end(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

/** Workers that do jobs of a while each, killed on the way; one is stopped for longer than its lease and goes on. */
export async function jobs(options: JobsOptions): Promise<JobsReport> {
  const { owner, signal, progress } = options
  const { tenant } = await aTenant(owner, { slug: 'kill-workers' })
  await owner('create table job_effects (n integer, is_fenced boolean, pid integer)')
  await owner('grant insert on job_effects to sq_app')
  await owner(
    `select app.enqueue_job(task, json_build_object('tenant_id', $1::bigint, 'n', n), null, null)
     from (select n, task from generate_series(1, $2::int) n, unnest(array['faults.fenced', 'faults.naive']) as task order by n, task) j`,
    [tenant.id, options.jobs],
  )
  const count = async (sql: string) => (await owner<{ count: number }>(sql))[0]!.count
  const left = () =>
    count(`select count(*)::int as count from graphile_worker.jobs where task_identifier like 'faults.%'`)
  const effects = () => count('select count(*)::int as count from job_effects')
  const workers: ChildProcess[] = []
  let kills = 0
  try {
    for (let i = 0; i < options.workers; i++) workers.push(await start(options))
    const zombie = workers.at(-1)!
    let stopped = Promise.resolve(0)
    for (; kills < options.kills && !signal.aborted; kills++) {
      const before = await effects()
      while ((await effects()) < before + 10 && (await left()) > 0 && !signal.aborted) await sleep(20)
      if (kills === 0) stopped = stopForLonger(zombie, options)
      const victim = kills % (options.workers - 1)
      await end(workers[victim]!, 'SIGKILL')
      workers[victim] = await start(options)
      progress(`${kills + 1} killed, ${await left()} jobs left`)
    }
    const lastKill = performance.now()
    const isLate = () => performance.now() - lastKill > options.maxSeconds * 1000
    while (!signal.aborted && !isLate() && (await left()) > 0) await sleep(100)
    const drainedSeconds = Math.round((performance.now() - lastKill) / 1000)
    const zombieHeld = await stopped
    // Whoever woke up late has had the time to do harm.
    await sleep(2000)
    const doubles = (isFenced: boolean) =>
      count(
        `select coalesce(sum(c - 1), 0)::int as count from (
           select count(*) as c from job_effects where is_fenced = ${isFenced} group by n) d`,
      )
    const done = await count('select count(distinct n)::int as count from job_effects where is_fenced')
    return {
      done,
      lost: options.jobs - done,
      double: await doubles(true),
      kills,
      drainedSeconds,
      zombieHeld,
      naiveDouble: await doubles(false),
    }
  } finally {
    await Promise.all(workers.map((worker) => end(worker, 'SIGKILL')))
    await owner('drop table job_effects')
  }
}

/** @returns how many jobs it held when it was stopped */
async function stopForLonger(worker: ChildProcess, { owner, signal }: JobsOptions): Promise<number> {
  worker.kill('SIGSTOP')
  const [held] = await owner<{ count: number }>(
    `select count(*)::int as count from graphile_worker._private_jobs where locked_by is not null`,
  )
  await sleep(LONGER_THAN_A_LEASE_MS, undefined, { signal }).catch(() => {})
  worker.kill('SIGCONT')
  return held!.count
}
