/**
 * `npm run test:soak -- --only <scenario,…> [--quick] [--seed <n>] [--<amount> <n>]`: what is run before a release, on real
 * servers and a real database. Prints figures against their goals, with controls that must fail; exit code 1 when one is
 * not met. Everything it starts ends with it, however it ends.
 */
import { randomBytes } from 'node:crypto'
import { useSigningKeys } from '../../server/modules/authentication/index.ts'
import { boundedRun } from '../faults/bounded.ts'
import type { Run } from './run.ts'

type Scenario = (run: Run) => Promise<void>
const SCENARIOS: Record<string, () => Promise<Scenario>> = {
  restore: async () => (await import('./restore.ts')).restore,
  upgrade: async () => (await import('./upgrade.ts')).upgrade,
  contended: async () => (await import('./load.ts')).contended,
  partition: async () => (await import('./partition.ts')).partition,
  'disk-full': async () => (await import('./line.ts')).diskFull,
  slow: async () => (await import('./line.ts')).slow,
  overload: async () => (await import('./load.ts')).overload,
  memory: async () => (await import('./memory.ts')).memory,
  standby: async () => (await import('./standby.ts')).standby,
  clock: async () => (await import('./clock.ts')).clock,
  rotation: async () => (await import('./rotation.ts')).rotation,
}
const MAX_MINUTES = 90

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
const { signal, say, note, finish } = boundedRun(MAX_MINUTES * 60)
const secretKey = randomBytes(48).toString('base64url')
useSigningKeys(secretKey)

await finish(async () => {
  for (const scenario of names) {
    if (signal.aborted) break
    try {
      const run = await SCENARIOS[scenario]!()
      await run({
        isQuick,
        seed: Number(given.get('seed') ?? 1),
        secretKey,
        signal,
        amount: (name, quick, full) => Number(given.get(name) ?? (isQuick ? quick : full)),
        word: (name) => given.get(name) || undefined,
        say: (line) => say(`${scenario}: ${line}`),
        note: (goals) => note(scenario, goals),
      })
    } catch (error) {
      console.error(error)
      process.exitCode = 1
    }
  }
})
