/** Queues that never were: simulated days whose laws are known, as rows of a trace. */
import { Heap } from '../server/replay/heap.ts'
import type { Row } from '../server/replay/estimates/rows.ts'
import { randomizer } from './random.ts'

interface SimulatedClass {
  name: string
  /** Lower goes first; never interrupts a service. */
  priority?: number
  /** Arrivals per second at that instant, and a bound on it. */
  rate: (at: number) => number
  ratePeak: number
  serviceSeconds: number
  /** Of the logarithm; without it services are exponential. */
  serviceSigma?: number
  /** Mean of an exponential patience; without it nobody leaves. */
  patienceSeconds?: number
}
interface Simulation {
  seed: number
  /** A local wall-clock second; the default is a Monday. */
  from?: number
  days: number
  servers: (at: number) => number
  classes: readonly SimulatedClass[]
  /** Whether ends of service are told, and the number of open servers. */
  tellsEnds?: boolean
  tellsOpen?: boolean
}

const MONDAY = 1_578_268_800
const TICK_SECONDS = 300

interface Customer {
  row: Row
  of: SimulatedClass
  leaves: number
}

/** Arrivals by thinning, one pool of servers, first come first served within a priority. */
export function simulateQueue({ seed, from = MONDAY, days, servers, classes, ...told }: Simulation): Row[] {
  const random = randomizer(seed)
  const exponential = (mean: number) => -mean * Math.log(1 - random())
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const until = from + days * 86_400
  const arrivals = classes.flatMap((of) => {
    const times: number[] = []
    for (let at = from + exponential(1 / of.ratePeak); at < until; at += exponential(1 / of.ratePeak)) {
      if (random() * of.ratePeak < of.rate(at)) times.push(at)
    }
    return times.map((at) => ({ at, of }))
  })
  arrivals.sort((a, b) => a.at - b.at)

  const rows: Row[] = []
  const waiting = new Heap<Customer>(
    (a, b) =>
      (a.of.priority ?? 0) - (b.of.priority ?? 0) < 0 ||
      ((a.of.priority ?? 0) === (b.of.priority ?? 0) && a.row.i < b.row.i),
  )
  const ends = new Heap<number>((a, b) => a < b)
  const serve = (at: number) => {
    while (ends.size < servers(at) && waiting.size > 0) {
      const { row, of, leaves } = waiting.pop()!
      if (leaves <= at) continue
      const seconds = of.serviceSigma
        ? of.serviceSeconds * Math.exp(of.serviceSigma * normal() - of.serviceSigma ** 2 / 2)
        : exponential(of.serviceSeconds)
      row.start_s = at
      row.isAbandoned = false
      row.end_s = told.tellsEnds === false ? null : at + seconds
      ends.push(at + seconds)
    }
  }
  let tick = from
  const pass = (at: number) => {
    for (;;) {
      const next = Math.min(tick, ends.peek() ?? Number.POSITIVE_INFINITY)
      if (next > at) return
      if (next === ends.peek()) ends.pop()
      else tick += TICK_SECONDS
      serve(next)
    }
  }
  for (const [i, { at, of }] of arrivals.entries()) {
    pass(at)
    const leaves = of.patienceSeconds === undefined ? Number.POSITIVE_INFINITY : at + exponential(of.patienceSeconds)
    const row: Row = {
      i,
      arrival_s: at,
      start_s: null,
      end_s: Number.isFinite(leaves) ? leaves : null,
      class: of.name,
      isAbandoned: Number.isFinite(leaves),
      open: told.tellsOpen ? servers(at) : null,
      isScored: true,
    }
    rows.push(row)
    waiting.push({ row, of, leaves })
    serve(at)
  }
  pass(until + 86_400)
  return rows
}

export const steady = (rate: number) => ({ rate: () => rate, ratePeak: rate })
/** Opening hours from 9 to 17 with a peak at eleven and another at three. */
export const office = (perHour: number) => ({
  rate: (at: number) => {
    const hour = (at % 86_400) / 3600
    return hour < 8.8 || hour > 16.5 ? 0 : (perHour / 3600) * (0.6 + 0.4 * Math.cos(((hour - 11) / 4) * 2 * Math.PI))
  },
  ratePeak: perHour / 3600,
})
export const isDay = (at: number, from: number, to: number) => (at % 86_400) / 3600 >= from && (at % 86_400) / 3600 < to

/** Laws that differ from each other as much as real places do. */
export const SCENES: Readonly<Record<string, (seed: number) => Row[]>> = {
  'sim-mms': (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: () => 5,
      classes: [{ name: 'A', ...steady((0.9 * 5) / 180), serviceSeconds: 180 }],
    }),
  'sim-mmsm': (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: () => 10,
      classes: [{ name: 'A', ...steady((1.1 * 10) / 240), serviceSeconds: 240, patienceSeconds: 600 }],
    }),
  drift: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (Math.floor(at / 86_400) % 7 < 3 ? 3 : 5) - (isDay(at, 12, 14) ? 1 : 0),
      classes: [{ name: 'A', ...office(72), serviceSeconds: 240, serviceSigma: 0.7 }],
    }),
  priorities: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (isDay(at, 8, 20) ? 8 : 3),
      classes: [
        { name: 'P', priority: 0, ...steady(8 / 3600), serviceSeconds: 420, patienceSeconds: 1800 },
        { name: 'R', priority: 1, ...steady(30 / 3600), serviceSeconds: 420, serviceSigma: 1, patienceSeconds: 1800 },
      ],
    }),
  office: (seed) =>
    simulateQueue({
      seed,
      days: 24,
      servers: (at) => (isDay(at, 9, 12) ? 4 : isDay(at, 12, 13) ? 2 : isDay(at, 13, 17.5) ? 5 : 0),
      classes: [{ name: 'Town:1', ...office(60), serviceSeconds: 260, serviceSigma: 0.8 }],
      tellsEnds: false,
      tellsOpen: true,
    }),
  hospital: (seed) =>
    simulateQueue({
      seed,
      days: 90,
      servers: (at) => (isDay(at, 8, 23) ? 14 : 9),
      classes: [
        { name: '2', priority: 0, ...steady(0.5 / 3600), serviceSeconds: 9000, serviceSigma: 0.8 },
        { name: '3', priority: 1, ...office(7), serviceSeconds: 9000, serviceSigma: 0.8 },
        { name: '3n', priority: 1, ...steady(1.3 / 3600), serviceSeconds: 9000, serviceSigma: 0.8 },
        {
          name: '4',
          priority: 2,
          ...steady(1.4 / 3600),
          serviceSeconds: 7000,
          serviceSigma: 0.8,
          patienceSeconds: 20_000,
        },
      ],
    }),
}
