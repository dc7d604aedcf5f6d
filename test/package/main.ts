/**
 * `npm run test:package`: what `npm pack` makes, as a stranger has it. Installs it by `npx` in an empty folder, where it
 * plays the demo, follows links as a browser would and runs a command; then as the image has it, step by step, as in
 * production. All of it is removed again.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startDatabase } from '../faults/database.ts'
import { freePort } from '../faults/proxy.ts'
import { isMet, table, type Figure } from '../faults/table.ts'

const run = promisify(execFile)
const START_TIMEOUT_MS = 300_000
const figures: Figure[] = []
const note = (what: string, measured: number, goal: Figure['goal']) =>
  figures.push({ scenario: 'package', what, measured, goal })
const say = (line: string) => process.stderr.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), 'sq-package-'))
try {
  await run('npm', ['pack', '--silent', '--pack-destination', folder])
  const tarball = join(folder, (await readdir(folder))[0]!)
  const megabytes = (await stat(tarball)).size / 1e6
  note('MB of the package', Number(megabytes.toFixed(1)), { atMost: 10 })
  say('packed; installing it in an empty folder …')
  const empty = await mkdtemp(join(folder, 'empty-'))
  await demo(tarball, empty)
  say('once more, as the image is made …')
  await image(tarball, join(folder, 'image'))
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.log(`\n${table(figures)}`)
if (!figures.every(isMet)) process.exitCode = 1

/** The steps of the Dockerfile where no engine runs: installed by the lock alone, then run as in production. */
async function image(tarball: string, app: string): Promise<void> {
  await mkdir(app)
  const lock = fileURLToPath(new URL('../../package-lock.json', import.meta.url))
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8')
  const steps = /RUN (tar -xzf[^]*?)\n(?! )/.exec(dockerfile)![1]!
  await copyFile(lock, join(app, 'lock.json'))
  const here = steps.replaceAll('/tmp/smartqueue.tgz', tarball).replaceAll('/tmp/lock.json', 'lock.json')
  await run('sh', ['-ec', here], { cwd: app })
  const database = await startDatabase()
  const [port, metricsPort] = [await freePort(), await freePort()]
  const settings = {
    NODE_ENV: 'production',
    SECRET_KEY: randomBytes(36).toString('base64'),
    ALLOWED_HOSTS: 'queue.example.org',
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
    DATA_DIR: join(app, 'data'),
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
  }
  const main = join(app, 'dist/package/server/main.js')
  await run(process.execPath, [main, 'migrate'], { cwd: app, env: settings })
  const child = spawn(process.execPath, [main, 'serve'], { cwd: app, env: settings, stdio: 'ignore' })
  try {
    const status = async (path: string, at = metricsPort) =>
      (await fetch(`http://127.0.0.1:${at}${path}`, { redirect: 'manual' }).catch(() => null))?.status ?? 0
    for (let waited = 0; waited < 60_000 && (await status('/readyz')) !== 200; waited += 100) await sleep(100)
    note('image: ready for work, by its health', await status('/readyz'), { is: 200 })
    note('image: a foreign host is refused', await status('/', port), { is: 400 })
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number | null]
    note('image: ends in good order', code ?? 1, { is: 0 })
  } finally {
    child.kill('SIGKILL')
    await database.close()
  }
}

async function isThere(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null)) !== null
}

async function demo(tarball: string, cwd: string): Promise<void> {
  const port = await freePort()
  const env = { ...process.env, DATA_DIR: join(cwd, 'data') }
  const npx = ['--yes', '--package', tarball, 'smartqueue']
  const begun = performance.now()
  const child = spawn('npx', [...npx, 'demo', '--port', String(port)], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  try {
    const read = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    while (!/\/site\//.test(output)) {
      if (child.exitCode !== null || performance.now() - begun > START_TIMEOUT_MS) throw new Error(output)
      await sleep(200)
    }
    const seconds = Math.round((performance.now() - begun) / 1000)
    note('seconds until it answers, installing it included', seconds, { atMost: 180 })
    const links = [...new Set(output.match(/http:\/\/[^\s]+/g))].map((link) => link.replace(/^http:..[^/]*/, ''))
    let broken = 0
    for (const link of [...links, '/healthz', '/docs', '/assets/shared/board.js', '/assets/pages.css']) {
      const page = await read(link)
      const text = (await page?.text()) ?? ''
      const files = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file!)
      const answers = [page, ...(await Promise.all(files.map(read)))]
      const bad = answers.filter((answer) => answer?.status !== 200)
      for (const answer of bad) say(`${answer?.status ?? 'no answer'}: ${answer?.url ?? link}`)
      broken += bad.length
    }
    note('links of the demo followed, with their files', links.length, { atLeast: 6 })
    note('… that do not work', broken, { is: 0 })
    const { stdout } = await run('npx', [...npx, 'tenants.get', '--tenant', 'demo-bank'], { cwd, env })
    note('command of an operation answers', Number(stdout.includes('"slug":"demo-bank"')), { is: 1 })
  } finally {
    // All of them, as a terminal does: npx tells nobody.
    process.kill(-child.pid!, 'SIGTERM')
    for (let waited = 0; waited < 15_000 && (await isThere(port)); waited += 100) await sleep(100)
  }
  note('still there after it was told to end', Number(await isThere(port)), { is: 0 })
}
