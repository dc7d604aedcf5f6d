import type { Contest, Row, Sample } from './sample.ts'
import { median } from './stats.ts'

export interface Effort {
  repetitions: number
  seconds: number
  warmSeconds: number
}

/**
 * Measures the subjects of a contest turn by turn, repetition after repetition, so that whatever else the machine does
 * falls on all of them alike. Before that each is warmed at its highest load.
 */
export async function alternate(contest: Contest, effort: Effort, log: (line: string) => void): Promise<Row[]> {
  const { subjects, callers } = contest
  for (const subject of subjects) {
    await subject.prepare?.()
    await subject.measure(Math.max(...callers), effort.warmSeconds)
  }
  const samples = new Map<string, Sample[]>()
  const keyOf = (subject: string, count: number) => `${count} ${subject}`
  for (let repetition = 1; repetition <= effort.repetitions; repetition++) {
    for (const count of callers) {
      const line: string[] = []
      for (const subject of subjects) {
        await subject.prepare?.()
        const sample = await subject.measure(count, effort.seconds)
        const key = keyOf(subject.name, count)
        samples.set(key, [...(samples.get(key) ?? []), sample])
        line.push(`${subject.name} ${Math.round(sample.perSecond)}/s`)
      }
      log(`${contest.name}, ${count} callers, ${repetition} of ${effort.repetitions}: ${line.join(' · ')}`)
    }
  }
  return callers.flatMap((count) =>
    subjects.map((subject) => {
      const own = samples.get(keyOf(subject.name, count))!
      return {
        contest: contest.name,
        subject: subject.name,
        callers: count,
        sample: medianSample(own),
        rates: own.map(({ perSecond }) => perSecond),
      }
    }),
  )
}

/** Each figure's median by itself; failures are summed. */
function medianSample(samples: readonly Sample[]): Sample {
  const of = (name: keyof Sample) => median(samples.map((sample) => sample[name]))
  return {
    perSecond: of('perSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    serverMicroseconds: of('serverMicroseconds'),
    postgresMicroseconds: of('postgresMicroseconds'),
    busyCores: of('busyCores'),
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
  }
}

/** Median over the repetitions of one subject's rate divided by another's in the same repetition; NaN when one is missing. */
export function ratio(
  rows: readonly Row[],
  contest: string,
  callers: number,
  subject: string,
  against: string,
): number {
  const ratesOf = (name: string) =>
    rows.find((row) => row.contest === contest && row.callers === callers && row.subject === name)?.rates
  const [own, other] = [ratesOf(subject), ratesOf(against)]
  return own && other ? median(own.map((rate, i) => rate / other[i]!)) : Number.NaN
}
