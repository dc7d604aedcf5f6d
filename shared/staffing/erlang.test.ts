import fc from 'fast-check'
import { expect, test } from 'vitest'
import { erlangB, erlangC, performance, requiredServers, serviceLevel, type Demand } from './erlang.ts'

/** Exact rationals: the definitions themselves, a sum of powers over factorials, computed without any rounding. */
interface Fraction {
  n: bigint
  d: bigint
}
const DIGITS = 10n ** 30n
const toNumber = ({ n, d }: Fraction): number => Number((n * DIGITS) / d) / Number(DIGITS)
/** B = (a^N / N!) / Σ a^k / k!, with the load given in thousandths. */
function exactB(servers: number, milliLoad: number): Fraction {
  const a = BigInt(milliLoad)
  // Terms times 1000^N N!: all whole.
  let term = 1n
  for (let k = 1n; k <= BigInt(servers); k++) term *= 1000n * k
  let sum = term
  for (let k = 1n; k <= BigInt(servers); k++) {
    term = (term * a) / (1000n * k)
    sum += term
  }
  return { n: term, d: sum }
}
function exactC(servers: number, milliLoad: number): Fraction {
  const { n, d } = exactB(servers, milliLoad)
  const s = BigInt(servers) * 1000n
  const a = BigInt(milliLoad)
  // nB / (n − a (1 − B))
  return { n: s * n, d: s * d - a * (d - n) }
}
const relative = (actual: number, exact: number) => Math.abs(actual - exact) / exact

test('B and C are right to 1e-6 up to 1000 erlangs; control: factorials in floating point overflow', () => {
  const cases = [0.1, 1, 7.5, 50, 170, 333.333, 700, 999.5, 1000].flatMap((load) =>
    [0.5, 0.9, 0.99, 1, 1.01, 1.1, 1.3].map((factor) => [Math.max(1, Math.round(load * factor)), load] as const),
  )
  for (const [servers, load] of cases) {
    const milli = Math.round(load * 1000)
    const b = toNumber(exactB(servers, milli))
    if (b > 1e-18) expect(relative(erlangB(servers, load), b)).toBeLessThan(1e-6)
    if (load >= servers) expect(erlangC(servers, load)).toBe(1)
    else if (b > 1e-18) expect(relative(erlangC(servers, load), toNumber(exactC(servers, milli)))).toBeLessThan(1e-6)
  }
  const factorial = (k: number): number => (k <= 1 ? 1 : k * factorial(k - 1))
  expect(1000 ** 1000 / factorial(1000)).toBeNaN()
})

test('random cases agree with the oracle', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300_000 }), (servers, milli) => {
      const b = toNumber(exactB(servers, milli))
      fc.pre(b > 1e-18)
      expect(relative(erlangB(servers, milli / 1000), b)).toBeLessThan(1e-9)
    }),
  )
})

test('published tables of Erlang B', () => {
  // Offered load that a number of lines carries at a blocking probability: standard tables; 15 lines: Westbay manual.
  const table: [blocking: number, lines: number, load: number][] = [
    [0.01, 15, 8.108],
    [0.01, 10, 4.46],
    [0.01, 20, 12.03],
    [0.01, 30, 20.34],
    [0.01, 50, 37.9],
    [0.01, 100, 84.06],
    [0.02, 10, 5.08],
    [0.02, 20, 13.18],
    [0.02, 50, 40.26],
    [0.05, 10, 6.22],
    [0.05, 20, 15.25],
  ]
  for (const [blocking, lines, load] of table) expect(erlangB(lines, load)).toBeCloseTo(blocking, 3)
  expect(erlangB(15, 8.108).toFixed(5)).toBe('0.01000')
})

test('Mitan’s walk-through of Erlang C: 360 calls in half an hour, 4 minutes, 55 agents', () => {
  const demand = { arrivals_per_hour: 720, service_seconds: 240 }
  const result = performance(55, demand)
  expect(result.occupancy).toBeCloseTo(0.873, 3)
  expect(result.wait_probability).toBeCloseTo(0.2387, 4)
  expect(result.mean_wait_seconds).toBeCloseTo(8.18, 2)
  expect(serviceLevel(55, demand, 15)).toBeCloseTo(0.8459, 4)
})

test('Garnett, Mandelbaum and Reiman 2002: 50 agents, 48 calls a minute, 1 minute, patience 2 minutes', () => {
  const demand = { arrivals_per_hour: 48 * 60, service_seconds: 60 }
  const patient = performance(50, demand)
  expect(patient.mean_wait_seconds).toBeCloseTo(20.8, 1)
  expect(patient.p90_wait_seconds).toBeCloseTo(58.1, 1)
  expect(Math.round(patient.queue_length!)).toBe(17)
  expect(patient.occupancy).toBeCloseTo(0.96, 2)
  const impatient = performance(50, { ...demand, patience_seconds: 120 })
  expect(impatient.abandoned).toBeCloseTo(0.0309122, 7)
  expect(impatient.mean_wait_seconds).toBeCloseTo(3.709, 3)
  expect(impatient.queue_length).toBeCloseTo(2.9676, 3)
  expect(impatient.wait_probability).toBeCloseTo(0.46777, 5)
  expect(impatient.occupancy).toBeCloseTo(0.93, 2)
})

/** Erlang A by the balance equations alone, from an empty house upwards. */
function balance(servers: number, rate: number, service: number, patience: number, states: number) {
  const weights = [1]
  for (let k = 1; k < states; k++) {
    weights.push((weights[k - 1]! * rate) / (Math.min(k, servers) / service + Math.max(0, k - servers) / patience))
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const queue = weights.reduce((sum, weight, k) => sum + (weight / total) * Math.max(0, k - servers), 0)
  return {
    queue,
    abandoned: queue / patience / rate,
    waits: weights.slice(servers).reduce((sum, weight) => sum + weight / total, 0),
  }
}

test('Erlang A agrees with the balance equations, overloaded or not', () => {
  const some = fc.record({
    servers: fc.integer({ min: 1, max: 40 }),
    load: fc.integer({ min: 1, max: 60 }),
    patience: fc.integer({ min: 30, max: 300 }),
  })
  fc.assert(
    fc.property(some, ({ servers, load, patience }) => {
      fc.pre(load <= servers + 15)
      const exact = balance(servers, load / 60, 60, patience, 2000)
      fc.pre(exact.queue > 1e-12)
      const result = performance(servers, {
        arrivals_per_hour: load * 60,
        service_seconds: 60,
        patience_seconds: patience,
      })
      expect(relative(result.abandoned, exact.abandoned)).toBeLessThan(1e-6)
      expect(relative(result.queue_length!, exact.queue)).toBeLessThan(1e-6)
      expect(relative(result.wait_probability, exact.waits)).toBeLessThan(1e-6)
    }),
    { numRuns: 50 },
  )
})

test('Erlang A survives a flood, and its service level is the share called in time', () => {
  const flood = performance(10, { arrivals_per_hour: 360_000, service_seconds: 10, patience_seconds: 3600 })
  expect(flood.abandoned).toBeCloseTo(0.99, 2)
  expect(flood.occupancy).toBeCloseTo(1, 6)
  const demand = { arrivals_per_hour: 600, service_seconds: 300, patience_seconds: 600 }
  // After any time everybody who did not leave was called.
  expect(serviceLevel(45, demand, 1e6)).toBeCloseTo(1 - performance(45, demand).abandoned, 9)
  expect(serviceLevel(45, demand, 0)).toBeCloseTo(1 - performance(45, demand).wait_probability, 9)
  // Endless patience is Erlang C.
  const patient = { arrivals_per_hour: 600, service_seconds: 300 }
  expect(serviceLevel(55, { ...patient, patience_seconds: 1e9 }, 60)).toBeCloseTo(serviceLevel(55, patient, 60), 5)
})

test('more load than servers is said, not computed', () => {
  expect(performance(5, { arrivals_per_hour: 60, service_seconds: 300 })).toMatchObject({
    is_overloaded: true,
    wait_probability: 1,
    mean_wait_seconds: null,
  })
  expect(serviceLevel(5, { arrivals_per_hour: 60, service_seconds: 300 }, 600)).toBe(0)
  expect(() => erlangB(1.5, 1)).toThrow(RangeError)
})

test('one server less never meets the goal', () => {
  const goal = { within_seconds: 600, share: 0.9 }
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 30, max: 1800 }),
      (arrivals_per_hour, service_seconds) => {
        const demand: Demand = { arrivals_per_hour, service_seconds }
        const servers = requiredServers(demand, goal)!
        expect(serviceLevel(servers, demand, 600)).toBeGreaterThanOrEqual(0.9)
        expect(serviceLevel(servers - 1, demand, 600)).toBeLessThan(0.9)
      },
    ),
  )
  expect(requiredServers({ arrivals_per_hour: 0, service_seconds: 60 }, goal)).toBe(0)
})
