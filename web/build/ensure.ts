import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROOT } from './paths.ts'
import { builtManifest, sourceHash } from './manifest.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

/**
 * Builds the screens unless they are built from exactly these sources. In a process of its own: the bundler changes its
 * environment and keeps its memory. Where the bundler is not installed (production) what was built before is used.
 * @throws Error when there is nothing to use
 */
export async function ensureScreens(): Promise<void> {
  const built = builtManifest()
  const canBuild = existsSync(`${ROOT}node_modules/vite/package.json`)
  if (built && (!canBuild || built.hash === sourceHash())) return
  if (!canBuild)
    throw new Error('the screens are not built: run `npm ci && npm run build` before leaving out development packages')
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN], { cwd: ROOT, stdio: ['ignore', 2, 2] })
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('the screens could not be built'))))
  })
}
