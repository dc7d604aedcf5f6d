/** Places unlike those that the predictor's settings were chosen on. */
import type { Row } from '../server/replay/estimates/rows.ts'
import { isDay, office, simulateQueue, steady } from './queues.ts'

const day = (at: number) => Math.floor(at / 86_400)
const hour = (at: number) => (at % 86_400) / 3600

export const ODD_SCENES: Readonly<Record<string, (seed: number) => Row[]>> = {
  /** One counter, a person every quarter of an hour. */
  sparse: (seed) =>
    simulateQueue({
      seed,
      days: 40,
      servers: (at) => Number(isDay(at, 9, 17)),
      classes: [{ name: 'A', ...office(5), serviceSeconds: 500, serviceSigma: 0.6 }],
    }),
  /** A person or two a day. */
  lonely: (seed) =>
    simulateQueue({
      seed,
      days: 120,
      servers: (at) => Number(isDay(at, 9, 17)),
      classes: [{ name: 'A', ...office(0.4), serviceSeconds: 900 }],
    }),
  pair: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (isDay(at, 9, 18) ? 2 : 0),
      classes: [{ name: 'A', ...office(18), serviceSeconds: 420, serviceSigma: 0.5 }],
    }),
  /** A bus every two hours. */
  bursts: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (isDay(at, 8, 20) ? 4 : 0),
      classes: [
        {
          name: 'A',
          rate: (at) => (isDay(at, 8, 18) && at % 7200 < 180 ? 0.2 : 0.002 * Number(isDay(at, 8, 18))),
          ratePeak: 0.2,
          serviceSeconds: 300,
        },
      ],
    }),
  /** Nobody works from noon to two, and people come all the same. */
  noon: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (isDay(at, 9, 12) || isDay(at, 14, 18) ? 3 : 0),
      classes: [{ name: 'A', ...office(25), serviceSeconds: 300 }],
    }),
  /** On every third day nothing moves for three hours. */
  stalls: (seed) =>
    simulateQueue({
      seed,
      days: 30,
      servers: (at) => (day(at) % 3 === 1 && isDay(at, 10, 13) ? 0 : isDay(at, 9, 18) ? 3 : 0),
      classes: [{ name: 'A', ...office(22), serviceSeconds: 300, patienceSeconds: 14_400 }],
    }),
  /** Two hours before the doors open there is a line. */
  early: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (isDay(at, 9, 15) ? 4 : 0),
      classes: [
        {
          name: 'A',
          rate: (at) => (isDay(at, 7, 9) ? 0.012 : isDay(at, 9, 14) ? 0.008 : 0),
          ratePeak: 0.012,
          serviceSeconds: 360,
        },
      ],
    }),
  /** Six services with three priorities at one desk. */
  classes: (seed) =>
    simulateQueue({
      seed,
      days: 20,
      servers: (at) => (isDay(at, 8, 20) ? 6 : 1),
      classes: [1, 2, 3, 4, 5, 6].map((n) => ({
        name: `S-${n}`,
        priority: n % 3,
        ...office(4 + 3 * n),
        serviceSeconds: 120 * n,
        serviceSigma: 0.4,
      })),
    }),
  /** Open day and night, busiest around midnight. */
  night: (seed) =>
    simulateQueue({
      seed,
      days: 30,
      servers: (at) => (hour(at) < 4 || hour(at) > 20 ? 6 : 3),
      classes: [
        {
          name: 'A',
          rate: (at) => 0.006 + 0.005 * Math.cos((hour(at) / 24) * 2 * Math.PI),
          ratePeak: 0.011,
          serviceSeconds: 480,
        },
      ],
    }),
  /** More come than can be served; they lose patience. */
  flood: (seed) =>
    simulateQueue({
      seed,
      days: 15,
      servers: (at) => (isDay(at, 8, 20) ? 4 : 0),
      classes: [
        {
          name: 'A',
          rate: (at) => 0.03 * Number(isDay(at, 8, 19)),
          ratePeak: 0.03,
          serviceSeconds: 300,
          patienceSeconds: 5400,
        },
      ],
    }),
  /** Clocks that know minutes only: many things happen at once. */
  minutes: (seed) =>
    simulateQueue({
      seed,
      days: 10,
      servers: () => 4,
      classes: [{ name: 'A', ...steady(0.012), serviceSeconds: 300 }],
    }).map((row) => ({
      ...row,
      arrival_s: whole(row.arrival_s),
      start_s: wholeOrNull(row.start_s),
      end_s: wholeOrNull(row.end_s),
    })),
}
const whole = (at: number) => Math.floor(at / 60) * 60
const wholeOrNull = (at: number | null) => (at === null ? null : whole(at))
