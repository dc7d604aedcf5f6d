/**
 * `npm run test:soak -- --only <scenario,…> [--quick] [--seed <n>] [--<amount> <n>]`: what is run before a release, on real
 * servers and a real database. Prints figures against their goals, with controls that must fail; exit code 1 when one is
 * not met. Everything it starts ends with it, however it ends.
 */
import { randomBytes } from 'node:crypto'
import { useSigningKeys } from '../../server/modules/authentication/index.ts'
import { isMet, table, type Figure } from '../faults/table.ts'
import type { Run } from './run.ts'

type Scenario = (run: Run) => Promise<void>
const SCENARIOS: Record<string, () => Promise<Scenario>> = {
  restore: async () => (await import('./restore.ts')).restore,
  upgrade: async () => (await import('./upgrade.ts')).upgrade,
  contended: async () => (await import('./load.ts')).contended,
  partition: async () => (await import('./line.ts')).partition,
  'disk-full': async () => (await import('./line.ts')).diskFull,
  slow: async () => (await import('./line.ts')).slow,
  overload: async () => (await import('./load.ts')).overload,
  memory: async () => (await import('./load.ts')).memory,
  standby: async () => (await import('./standby.ts')).standby,
}
const MAX_MINUTES = 90
const END_WITHIN_SECONDS = 12

const given = new Map<string, string>()
for (const [i, word] of process.argv.entries())
  if (word.startsWith('--'))
    given.set(word.slice(2), process.argv[i + 1]?.startsWith('--') ? '' : (process.argv[i + 1] ?? ''))
const names = (given.get('only') ?? '').split(',').filter(Boolean)
const unknown = names.find((name) => !(name in SCENARIOS))
if (names.length === 0 || unknown !== undefined) {
  console.error(`${unknown ? `no scenario "${unknown}"` : 'which?'} --only ${Object.keys(SCENARIOS).join(',')}`)
  process.exit(2)
}
const isQuick = given.has('quick')
const started = performance.now()
const seconds = () => Math.round((performance.now() - started) / 1000)
const ending = new AbortController()
const figures: Figure[] = []
const secretKey = randomBytes(48).toString('base64url')
useSigningKeys(secretKey)

function endEarly(why: string) {
  console.error(why)
  process.exitCode = 1
  ending.abort()
  // Servers and PostgreSQL notice the end of this process by themselves.
  setTimeout(() => process.exit(1), END_WITHIN_SECONDS * 1000).unref()
}
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => endEarly(name))
setTimeout(() => endEarly(`not done after ${MAX_MINUTES} minutes`), MAX_MINUTES * 60_000).unref()

for (const scenario of names) {
  if (ending.signal.aborted) break
  const say = (line: string) => console.log(`${String(seconds()).padStart(4)} s  ${scenario}: ${line}`)
  try {
    const run = await SCENARIOS[scenario]!()
    await run({
      isQuick,
      seed: Number(given.get('seed') ?? 1),
      secretKey,
      signal: ending.signal,
      amount: (name, quick, full) => Number(given.get(name) ?? (isQuick ? quick : full)),
      say,
      note(goals) {
        for (const [what, [measured, goal]] of Object.entries(goals)) figures.push({ scenario, what, measured, goal })
      },
    })
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}
console.log(`\n${table(figures)}\n`)
const missed = figures.filter((figure) => !isMet(figure)).length
if (missed > 0 || figures.length === 0) process.exitCode = 1
console.log(`${figures.length - missed} of ${figures.length} figures as they must be, in ${seconds()} s`)
