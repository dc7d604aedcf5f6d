import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const RUNNER = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))

/** Runs test files as `npm test` does. @throws Error when they cannot be run at all */
export async function tests(
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ passed: number; failed: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'smartqueue-security-'))
  const report = join(directory, 'report.json')
  const child = spawn(process.execPath, [RUNNER, 'run', '--reporter=json', `--outputFile=${report}`, ...files], {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(-2000)))
  await once(child, 'close')
  if (!existsSync(report)) throw new Error(`the tests did not run:\n${errors}`)
  const told = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number }
  rmSync(directory, { recursive: true })
  return { passed: told.numPassedTests, failed: told.numFailedTests }
}
