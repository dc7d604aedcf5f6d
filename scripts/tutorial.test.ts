import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll } from 'vitest'

/** Runs the code blocks of a tutorial as its reader would have typed them. */
const TUTORIAL = 'docs/tutorials/add-an-operation.md'
const BLOCK = /```ts title=(\S+)\n([\s\S]*?)```/g

const root = path.resolve(import.meta.dirname, '..')
const folder = path.join(root, 'node_modules', '.tutorial')
const blocks = [...readFileSync(path.join(root, TUTORIAL), 'utf8').matchAll(BLOCK)].map(([, file, code]) => ({
  file: file!,
  code: code!,
}))
const written = new Set(blocks.map(({ file }) => path.join(root, file)))

/** Imports between the blocks stay; those of the project point into it. */
const place = (file: string, code: string) =>
  code.replaceAll(/from '(\.[^']+)'/g, (whole, target: string) => {
    const absolute = path.resolve(root, path.dirname(file), target)
    return written.has(absolute) ? whole : `from '${absolute}'`
  })

mkdirSync(folder, { recursive: true })
for (const { file, code } of blocks) writeFileSync(path.join(folder, path.basename(file)), place(file, code))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

if (blocks.length === 0) throw new Error(`${TUTORIAL} has no code`)
for (const { file } of blocks.filter((block) => block.file.endsWith('.test.ts'))) {
  await import(/* @vite-ignore */ pathToFileURL(path.join(folder, path.basename(file))).href)
}
