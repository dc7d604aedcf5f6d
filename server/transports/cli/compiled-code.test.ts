import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sweepCompiledCode } from './compiled-code.ts'

const run = promisify(execFile)
const DAY_S = 86_400
const now = Date.now()
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sq-compiled-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const OWN = 'v26.10.0-x64-310b2ce3-1000'
/** Written and last read so many days ago. */
function put(path: string, { written = 60, read = 60, bytes = 10 } = {}) {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), 'x'.repeat(bytes))
  utimesSync(join(root, path), now / 1000 - read * DAY_S, now / 1000 - written * DAY_S)
}
const left = () =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name !== '.swept')
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .sort()
const sweep = (most?: number) => sweepCompiledCode(join(root, OWN), now, most)

test('what nobody has used for a month goes, of every version, and nothing else', async () => {
  put(`${OWN}/0000000a`, { read: 2 })
  put(`${OWN}/0000000b`)
  put(`${OWN}/0000000c`, { written: 1, read: 60 })
  put(`${OWN}/0000000d.aB3xYz`, { written: 2, read: 2 })
  put(`${OWN}/0000000e.aB3xYz`, { written: 0, read: 0 })
  put('v25.1.0-x64-310b2ce3-1000/0000000b')
  put('v26.9.0-x64-0badcafe-1000/0000000f', { read: 1 })
  // Of others: another user, another program, somebody's own.
  const foreign = ['v25.1.0-x64-310b2ce3-1001/0000000b', `${OWN}/notes.txt`, 'notes/0000000b', '0000000b']
  for (const path of foreign) put(path)
  await Promise.all([sweep(), sweep()])
  expect(left()).toEqual(
    [
      `${OWN}/0000000a`,
      `${OWN}/0000000c`,
      `${OWN}/0000000e.aB3xYz`,
      'v26.9.0-x64-0badcafe-1000/0000000f',
      ...foreign,
    ].sort(),
  )
  expect(readdirSync(root)).not.toContain('v25.1.0-x64-310b2ce3-1000')
})

test('of what is too much the longest unused goes', async () => {
  for (const [n, read] of [5, 1, 4, 2, 3].entries()) put(`${OWN}/0000000${n}`, { read, bytes: 100 })
  await sweep(350)
  expect(left()).toEqual([1, 3, 4].map((n) => `${OWN}/0000000${n}`))
})

test('once a day, whichever process comes first', async () => {
  await sweep()
  put(`${OWN}/0000000b`)
  await sweep()
  expect(left()).toHaveLength(1)
  utimesSync(join(root, '.swept'), now / 1000 - 2 * DAY_S, now / 1000 - 2 * DAY_S)
  await sweep()
  expect(left()).toEqual([])
})

test('its names are those of the runtime, and a program whose code was swept starts as before', async () => {
  mkdirSync(join(root, 'program'))
  writeFileSync(join(root, 'program', 'a.mjs'), 'export const a = 1')
  const main = join(root, 'program', 'main.mjs')
  writeFileSync(
    main,
    `import { getCompileCacheDir } from 'node:module'\nimport './a.mjs'\nconsole.log(getCompileCacheDir())`,
  )
  const start = async () => (await run(process.execPath, [main], { env: { NODE_COMPILE_CACHE: root } })).stdout.trim()
  const directory = await start()
  const entries = () => readdirSync(directory)
  expect(entries().length).toBeGreaterThan(0)
  await sweepCompiledCode(directory, now + 60 * DAY_S * 1000)
  expect(entries()).toEqual([])
  expect(await start()).toBe(directory)
  expect(entries().length).toBeGreaterThan(0)
})
