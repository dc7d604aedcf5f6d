/** `npm run check`: everything that can be judged without a database, side by side, in seconds. */
import { execFile } from 'node:child_process'
import { houseRuleViolations } from './house-rules.ts'
import { migrationViolations } from './migration-rules.ts'
import { brokenDocReferences } from './check-docs.ts'
import { staleGeneratedFiles } from './generate.ts'
import { unlistedEvents } from './event-types.ts'
import { brokenGraphqlPromises } from './graphql-changes.ts'
import { unlicensedDependencies } from './licences.ts'

interface Verdict {
  name: string
  ok: boolean
  output: string
  seconds: number
}

function run(name: string, command: string, args: string[]): Promise<Verdict> {
  const started = performance.now()
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      resolve({ name, ok: !error, output: stdout + stderr, seconds: (performance.now() - started) / 1000 }),
    )
  })
}

async function listed(name: string, problems: () => string[] | Promise<string[]>): Promise<Verdict> {
  const started = performance.now()
  const found = await problems()
  return { name, ok: found.length === 0, output: found.join('\n'), seconds: (performance.now() - started) / 1000 }
}

async function trackedFiles(): Promise<string[]> {
  const { output } = await run('files', 'git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  return output.split('\n').filter(Boolean)
}

const verdicts = await Promise.all([
  run('types', 'tsc', ['-p', '.']),
  run('types: public', 'tsc', ['-p', 'web']),
  run('types: workers', 'tsc', ['-p', 'web/apps/visitor/tsconfig.worker.json']),
  run('types: kiosk', 'tsc', ['-p', 'web/apps/kiosk/tsconfig.worker.json']),
  run('types: console', 'tsc', ['-p', 'web/apps/console']),
  run('lint', 'oxlint', ['--type-aware', '--quiet', '.']),
  run('format', 'oxfmt', ['--check', 'server', 'shared', 'scripts', 'bench', 'test', 'web', 'sdk']),
  run('dependencies', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'server', 'shared', 'web']),
  run('screens', 'node', ['web/build/main.ts', '--if-needed']),
  run('dead code', 'knip', []),
  listed('house rules', async () => houseRuleViolations(await trackedFiles())),
  listed('migrations', async () => migrationViolations(await trackedFiles())),
  listed('docs', async () => brokenDocReferences(await trackedFiles())),
  listed('generated files', staleGeneratedFiles),
  listed('events', () => unlistedEvents()),
  listed('graphql', () => brokenGraphqlPromises()),
  listed('licences', unlicensedDependencies),
])
for (const { name, ok, output, seconds } of verdicts) {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(16)} ${seconds.toFixed(1)} s`)
  if (!ok) console.log(output.trim().replace(/^/gm, '     '))
}
process.exitCode = verdicts.every(({ ok }) => ok) ? 0 : 1
