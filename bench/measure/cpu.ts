import { readdirSync, readFileSync } from 'node:fs'

/** Kernel clock ticks a second (`getconf CLK_TCK`); 100 on every Linux Node runs on. */
const TICK_MICROSECONDS = 10_000

/** CPU time in microseconds since boot or start, by who used it. NaN where there is no /proc. */
interface CpuClock {
  wall: number
  server: number
  postgres: number
  /** All processes of the machine. */
  machine: number
}
export interface CpuUse {
  server: number
  postgres: number
  /** Cores kept busy by the whole machine in that time. */
  busyCores: number
}

/** Fields 14–17 of /proc/<pid>/stat: own user and system time, then that of children that have ended. */
function ticksOf(pid: number): { parent: number; own: number; ended: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  return { parent: fields[1]!, own: fields[11]! + fields[12]!, ended: fields[13]! + fields[14]! }
}

/** CPU time of a postmaster, its living backends and those that have ended. */
function postgresTicks(postmaster: number): number {
  const { own, ended } = ticksOf(postmaster)
  let ticks = own + ended
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const process = ticksOf(Number(name))
      if (process.parent === postmaster) ticks += process.own
    } catch {
      // It ended while we looked; its time is in the postmaster's sum from now on.
    }
  }
  return ticks
}

function machineTicks(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split(/\s+/, 9).slice(1).map(Number)
  return user! + nice! + system! + irq! + softirq!
}

function read(postmaster: number): CpuClock {
  const { user, system } = process.cpuUsage()
  const clock = { wall: performance.now() * 1000, server: user + system }
  try {
    return {
      ...clock,
      postgres: postgresTicks(postmaster) * TICK_MICROSECONDS,
      machine: machineTicks() * TICK_MICROSECONDS,
    }
  } catch {
    return { ...clock, postgres: Number.NaN, machine: Number.NaN }
  }
}

/** Starts a stopwatch of CPU time; its answer is what was used since. */
export function startCpu(postmaster: number): () => CpuUse {
  const from = read(postmaster)
  return () => {
    const to = read(postmaster)
    return {
      server: to.server - from.server,
      postgres: to.postgres - from.postgres,
      busyCores: (to.machine - from.machine) / (to.wall - from.wall),
    }
  }
}
