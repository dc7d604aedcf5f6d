/**
 * `npm run build`: the screens, into dist/web/. Fails when one is larger than its budget. `--watch` builds on every change,
 * `--if-needed` only what is not built yet.
 */
import { watch } from 'node:fs'
import { ROOT } from './paths.ts'
import { build } from './build.ts'
import { builtManifest, sourceHash } from './manifest.ts'

// The tests start this too: what they measure and drive is what people get.
// oxlint-disable-next-line no-process-env -- the bundler reads it
process.env['NODE_ENV'] = 'production'

const say = (line: string) => process.stderr.write(`${line}\n`)

async function once(): Promise<boolean> {
  const started = performance.now()
  say('Building the screens …')
  const { problems } = await build(say)
  for (const problem of problems) say(`FAIL ${problem}`)
  say(`  ready in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return problems.length === 0
}

if (process.argv.includes('--if-needed') && builtManifest()?.hash === sourceHash()) process.exit(0)
const isGood = await once()
if (!process.argv.includes('--watch')) process.exit(isGood ? 0 : 1)

let pending: ReturnType<typeof setTimeout> | undefined
for (const folder of ['web', 'shared']) {
  watch(ROOT + folder, { recursive: true }, () => {
    clearTimeout(pending)
    pending = setTimeout(() => void once().catch((error: unknown) => say(String(error))), 150)
  })
}
