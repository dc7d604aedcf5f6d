import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const RUNNER = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))

/** Runs test files as `npm test` does. @throws Error when they cannot be run at all */
export async function tests(
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ passed: number; failed: number }> {
  const child = spawn(process.execPath, [RUNNER, 'run', '--reporter=json', ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let text = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(-2000)))
  await once(child, 'close')
  const json = /\{"numTotalTestSuites".*\}/s.exec(text)?.[0]
  if (json === undefined) throw new Error(`the tests did not run:\n${errors}`)
  const { numPassedTests, numFailedTests } = JSON.parse(json) as { numPassedTests: number; numFailedTests: number }
  return { passed: numPassedTests, failed: numFailedTests }
}
