import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import type { LOCALES } from './apps.ts'
import { DIST, ROOT } from './paths.ts'

/** Addresses of a built app's files. */
export interface BuiltApp {
  main: string
  /** Module that adds the texts, by language. */
  messages: Record<(typeof LOCALES)[number], string>
  /** What `main` imports, to be asked for at once. */
  preloads: string[]
  styles: string[]
  fonts: { url: string; script: 'latin' | 'arabic' }[]
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

/** One value for everything the screens are made of: equal means built already. Some 10 ms. */
export function sourceHash(): string {
  const hash = createHash('sha256')
  const files = globSync(['web/**/*', 'shared/**/*', 'package-lock.json'], { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((file) => !/\.test\.tsx?$|\/web\/test\//.test(file))
  for (const file of files.toSorted())
    hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}
