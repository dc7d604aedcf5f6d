import { CapacityProfile, DecayedRate } from '../../shared/prediction/rates.ts'
import type { Row } from '../../server/replay/estimates/rows.ts'

const HOUR = 3600
const IDLE_KEYS = 8

interface Waiter {
  row: Row
  found: number
}

/** What textbooks, papers and vendors would have said, from the same events. One per line; times in seconds. */
export class Baselines {
  #waiting = new Map<number, Waiter>()
  #serving = new Map<number, number>()
  #clock = Number.NEGATIVE_INFINITY
  #open: number | null = null
  #hasEnds = false
  #capacity = 1
  /** Waits of those called, oldest first: what most products average. */
  #called: { at: number; wait: number }[] = []
  #busySeconds = new DecayedRate(HOUR)
  #allTime = new DecayedRate(1e12)
  #allTimeCounters = new DecayedRate(1e12)
  #hourCounters = new DecayedRate(HOUR)
  #services = { sum: 0, count: 0, recent: 300 }
  #profile = new CapacityProfile()
  #level = new DecayedRate(2400)
  #leavings = new DecayedRate(1e12)
  #byLength = new Map<string, { mean: number; count: number }>()
  #byHour = new Map<number, { mean: number; count: number }>()
  #gaps = new Map<number, { mean: number; count: number }>()
  #lastStart = Number.NEGATIVE_INFINITY
  #les: { wait: number; found: number } | null = null
  #rcs: { wait: number; at: number } | null = null
  #chat = Number.NaN
  #asterisk = Number.NaN
  #waits = new Map<number, number>()

  advance(at: number): void {
    const from = this.#clock
    this.#clock = Math.max(at, from)
    if (this.#waiting.size === 0 || from === Number.NEGATIVE_INFINITY || at <= from) return
    const lived = Math.min(at - from, HOUR)
    this.#level.expose(this.#profile.rate(from, this.#rate()) * lived, lived)
    for (const rate of [this.#busySeconds, this.#allTime]) rate.expose(lived)
    for (const rate of [this.#allTimeCounters, this.#hourCounters]) rate.expose(lived * Math.max(1, this.#servers()))
    this.#profile.expose(from, from + lived)
    this.#leavings.expose(lived * this.#waiting.size)
  }

  setOpen(open: number | null): void {
    this.#open = open
  }

  arrive(row: Row): void {
    this.#waiting.set(row.i, { row, found: this.#key() })
  }

  leave(row: Row): void {
    if (this.#waiting.delete(row.i)) this.#leavings.count()
  }

  end(row: Row, at: number): void {
    const since = this.#serving.get(row.i)
    if (since === undefined) return
    this.#hasEnds = true
    this.#serving.delete(row.i)
    const seconds = at - since
    this.#services.sum += seconds
    this.#services.count++
    this.#services.recent += (seconds - this.#services.recent) / Math.min(this.#services.count, 30)
    const arrived = this.#waits.get(row.i)
    if (arrived !== undefined && (!this.#rcs || row.arrival_s >= this.#rcs.at)) {
      this.#rcs = { wait: arrived, at: row.arrival_s }
    }
    this.#waits.delete(row.i)
  }

  start(row: Row, at: number): void {
    const waiter = this.#waiting.get(row.i)
    if (!waiter) return
    this.#waiting.delete(row.i)
    const wait = at - row.arrival_s
    if (wait > 0 || this.#waiting.size > 0) {
      for (const rate of [this.#busySeconds, this.#allTime, this.#allTimeCounters, this.#hourCounters, this.#level])
        rate.count()
      this.#profile.count(at)
    }
    this.#serving.set(row.i, at)
    if (wait > 0) this.#capacity += (this.#serving.size - this.#capacity) * 0.15
    else this.#capacity = Math.max(this.#capacity, this.#serving.size)
    learn(this.#byLength, `${row.class} ${waiter.found}`, wait)
    learn(this.#byHour, hourOf(row.arrival_s), wait)
    if (at - this.#lastStart < 2 * HOUR) learn(this.#gaps, hourOf(at), at - this.#lastStart)
    this.#lastStart = at
    this.#called.push({ at, wait })
    this.#les = { wait, found: Math.max(0, waiter.found) }
    this.#waits.set(row.i, wait)
    this.#chat = Number.isNaN(this.#chat) ? wait : 0.9 * this.#chat + 0.1 * wait
    this.#asterisk = Number.isNaN(this.#asterisk) ? wait : (3 * this.#asterisk + wait) / 4
  }

  /** Estimates by name for somebody who finds `ahead` waiting (default all), at the clock's instant. */
  tell(row: Row, ahead = this.#waiting.size): Record<string, number> {
    const at = this.#clock
    const idle = ahead === 0 ? this.#idle() : 0
    const departures = Math.max(0, ahead + 1 - idle)
    const rate = this.#rate()
    const theta = this.#leavings.rate(0, HOUR)
    let patient = 0
    for (let i = 0; i < departures; i++) patient += 1 / (rate + i * theta)
    const les = this.#les?.wait ?? 0
    const last = (count: number, within = Number.POSITIVE_INFINITY) =>
      this.#called
        .slice(-count)
        .filter((call) => at - call.at <= within)
        .map(({ wait }) => wait)
    const head = this.#waiting.values().next().value
    const key = idle > 0 ? -idle : ahead
    const gap = this.#gaps.get(hourOf(at))?.mean
    const servers = Math.max(1, this.#servers())
    const aht = this.#hasEnds ? this.#services.recent : 1 / this.#hourCounters.rate(1 / 300, 60)
    const throughput = departures / rate
    const level = Math.min(10, Math.max(0.1, this.#level.rate(1, 3)))
    const profiled = (by: number) => (departures === 0 ? 0 : this.#profile.secondsFor(departures, at, rate, by))
    return {
      [NAIVE]: ahead * this.#meanService(),
      [NAIVE_BY_SERVERS]: (departures * aht) / servers,
      [QL]: throughput,
      QLMP: patient,
      LES: les,
      'HOL, Amazon Connect': head ? at - head.row.arrival_s : 0,
      RCS: this.#rcs?.wait ?? les,
      'AvgLES, Ivanti': mean(last(10)) ?? 0,
      'P-LES': this.#les ? (les * (ahead + 1)) / (this.#les.found + 1) : 0,
      'AvgC-LES': this.#meanAt(row.class, key) ?? throughput,
      'hour mean': this.#byHour.get(hourOf(at))?.mean ?? les,
      'capacity profile': profiled(1),
      'profile x today': profiled(level),
      'Salesforce Chat': this.#chat || 0,
      'Salesforce Omni': weighted(last(10, 600)) ?? les,
      Webex: mean(steady(last(200, 1800))) ?? les,
      'Google CCAI': (aht / servers) * Math.max(0, ahead + (ahead === 0 ? 1 : 0) - idle) + 10,
      'Asterisk app_queue': this.#asterisk || 0,
      TablesReady: (ahead + 1) * (gap ?? 1 / rate),
      NextMe: mean(last(30, 4 * HOUR)) ?? les,
      Waitwhile: (ahead * aht) / servers,
      'rolling 4 h': mean(last(2000, 4 * HOUR)) ?? les,
    }
  }

  /** What simple formulas say remains to a waiting ticket; `told` is what they said when it came. */
  remaining(row: Row, told: Record<string, number>): Record<string, number> {
    let ahead = 0
    for (const other of this.#waiting.values()) {
      if (other.row.i === row.i) break
      ahead++
    }
    const now = this.tell(row, ahead)
    const age = this.#clock - row.arrival_s
    return {
      'QL now': now[QL]!,
      'profile now': now['capacity profile']!,
      'AvgC now': now['AvgC-LES']!,
      'P-LES now': now['P-LES']!,
      'QL at issue - age': Math.max(0, told[QL]! - age),
      'AvgC at issue - age': Math.max(0, told['AvgC-LES']! - age),
      'LES - age': Math.max(0, now['LES']! - age),
    }
  }

  #servers = () => (this.#hasEnds ? Math.round(this.#capacity) : (this.#open ?? 1))
  #idle = () => (this.#hasEnds ? Math.min(IDLE_KEYS, Math.max(0, Math.round(this.#capacity) - this.#serving.size)) : 0)
  #key = () => (this.#waiting.size === 0 ? -this.#idle() : this.#waiting.size)
  #rate = () => this.#busySeconds.rate(this.#allTime.rate(1 / 300, 600), 900)
  #meanService = () =>
    this.#hasEnds
      ? this.#services.sum / Math.max(1, this.#services.count)
      : 1 / this.#allTimeCounters.rate(1 / 300, 600)
  #meanAt(name: string, key: number): number | undefined {
    for (const near of [0, -1, 1, -2, 2, -3, 3]) {
      const found = this.#byLength.get(`${name} ${key + near}`)
      if (found && found.count > 1) return found.mean
    }
    return undefined
  }
}

export const NAIVE = 'position x mean service'
export const NAIVE_BY_SERVERS = 'position x recent / servers'
export const QL = 'QL-throughput'

const hourOf = (at: number) => {
  const day = (Math.floor(at / 86_400) + 4) % 7
  return (day === 0 || day === 6 ? 24 : 0) + Math.floor((at % 86_400) / HOUR)
}
const mean = (values: readonly number[]) =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
/** Weights 10, 9, … 1, the newest first. */
function weighted(values: readonly number[]): number | undefined {
  let sum = 0
  let total = 0
  for (const [i, value] of values.toReversed().entries()) {
    sum += value * (10 - i)
    total += 10 - i
  }
  return total > 0 ? sum / total : undefined
}
/** Without those further than two standard deviations from the mean. */
function steady(values: readonly number[]): readonly number[] {
  const middle = mean(values) ?? 0
  const deviation = Math.sqrt(mean(values.map((value) => (value - middle) ** 2)) ?? 0)
  return values.filter((value) => Math.abs(value - middle) <= 2 * deviation)
}
function learn<K>(book: Map<K, { mean: number; count: number }>, key: K, value: number) {
  let entry = book.get(key)
  if (!entry) book.set(key, (entry = { mean: 0, count: 0 }))
  entry.count++
  entry.mean += (value - entry.mean) / entry.count
}
