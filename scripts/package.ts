/**
 * `npm run package`, and before every `npm pack`: what people install, into dist/package/. Node runs no TypeScript below
 * node_modules, so types are taken out and the folders stay as they are: an error names the line of the source.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname } from 'node:path'
import { ensureScreens } from '../web/build/ensure.ts'
import { ROOT } from '../web/build/paths.ts'

const INTO = `${ROOT}dist/package/`
/** What the server is made of; it looks at two files of the screens' build to find what was built. */
const CODE = ['server/**/*.ts', 'shared/**/*.ts', 'db/**/*.ts', 'web/build/{ensure,manifest,paths}.ts']
const FILES = [
  'server/pages/pages.css',
  'shared/locales/**/*.json',
  'db/migrations',
  'db/demo',
  'dist/web',
  'package.json',
]
const isForTests = (path: string) => /\.test\.ts$|\/test\//.test(path)

/** Code as Node runs it anywhere; imports and workers name the files as they are called then. */
export function compiled(source: string): string {
  return stripTypeScriptTypes(source).replace(
    /((?:from|import)\s*\(?\s*|new URL\(\s*)(['"])(\.{1,2}\/[^'"\n]+|[\w-]+)\.ts\2/g,
    '$1$2$3.js$2',
  )
}

await ensureScreens()
rmSync(INTO, { recursive: true, force: true })
const { emitWarning } = process
process.emitWarning = () => {}
for (const path of globSync(CODE, { cwd: ROOT }).filter((path) => !isForTests(path))) {
  const target = INTO + path.replace(/\.ts$/, '.js')
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, compiled(readFileSync(ROOT + path, 'utf8')))
}
process.emitWarning = emitWarning
for (const path of FILES.flatMap((pattern) => globSync(pattern, { cwd: ROOT })))
  cpSync(ROOT + path, INTO + path, { recursive: true })
