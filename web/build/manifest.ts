import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import type { LOCALES } from './apps.ts'
import { DIST, ROOT } from './paths.ts'
import type { Sizes } from './sizes.ts'

/** Addresses of a built app's files. */
export interface BuiltApp {
  main: string
  /** Module that adds the texts, by language. */
  messages: Record<(typeof LOCALES)[number], string>
  /** What `main` imports, to be asked for at once. */
  preloads: string[]
  styles: string[]
  fonts: { url: string; script: 'latin' | 'arabic' }[]
  /** Service worker, below dist/web/: it is served at an address of its own. */
  worker?: string
  /** Of what it alone was built from, and how large it is. */
  hash: string
  sizes: Sizes
  /** Chunks that are asked for later, in brotli bytes, without what the first screen brought already. */
  pages?: { name: string; js: number; css: number }[]
}
/** `dist/web/manifest.json`. */
export interface Manifest {
  /** Of the sources it was built from. */
  hash: string
  apps: Record<string, BuiltApp>
  /** Modules of the server that render an app's pages, below dist/web/. */
  renderers: Record<string, string>
}

/** What was built last, or undefined. */
export function builtManifest(): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(`${DIST}manifest.json`, 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

/**
 * One value for everything the screens, or one app, are made of: equal means built already. Some 10 ms.
 * @param app folder of web/apps; all of them when absent
 */
export function sourceHash(app = '*'): string {
  const hash = createHash('sha256')
  const sources = [
    `web/apps/${app}/**/*`,
    'web/{build,data,ui}/**/*',
    'shared/**/*',
    'sdk/src/operation*.ts',
    'package-lock.json',
  ]
  const files = globSync(sources, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((file) => !/\.test\.tsx?$|\/web\/test\//.test(file))
  for (const file of files.toSorted())
    hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}
