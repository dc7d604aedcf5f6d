import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../../../../test/faults/proxy.ts'
import { monotonicMs } from '../../../kernel/clock.ts'
import { hasCurl } from '../../../test/curl.ts'
import { testDatabase } from '../../../test/harness.ts'

const PATIENCE_MS = 60_000
const root = resolve(import.meta.dirname, '../../../..')
const document = readFileSync(join(root, 'docs/developer.md'), 'utf8')
const chapter = /## The first ticket in five minutes\n([\s\S]*?)\n## /.exec(document)![1]!
const { url, directUrl } = await testDatabase()
const home = mkdtempSync(join(tmpdir(), 'smartqueue-quickstart-'))
const [server, hook, metrics] = [await freePort(), await freePort(), await freePort()]
/** As the reader has it, on ports that are free here. */
const placed = (text: string) =>
  text.replaceAll('localhost:8000', `localhost:${server}`).replaceAll(/(localhost:|listen\()3000/g, `$1${hook}`)
const blocks = [...chapter.matchAll(/^```(\w+)(?: title=(\S+))?\n([\s\S]*?)^```/gm)].map(
  ([, language, title, text]) => ({ language, title, text: placed(text!) }),
)
const environment = {
  ...process.env,
  HOME: home,
  PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
  DATABASE_URL: url,
  DATABASE_DIRECT_URL: directUrl,
  SECRET_KEY: randomBytes(48).toString('base64url'),
  DATA_DIR: join(home, 'data'),
  PORT: String(server),
  METRICS_PORT: String(metrics),
}

/** A window with a shell, in the folder of the project. */
class Terminal {
  static all: Terminal[] = []
  said = ''
  readonly #shell: ChildProcess
  constructor(folder = root) {
    // A process group of its own: what runs in a window ends with the window.
    this.#shell = spawn('bash', ['-s'], { cwd: folder, env: environment, detached: true })
    for (const stream of [this.#shell.stdout!, this.#shell.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.said += text))
    Terminal.all.push(this)
  }
  /** Types lines; what they say can be awaited. */
  type(lines: string): this {
    this.#shell.stdin!.write(`${lines}\n`)
    return this
  }
  async hears(what: RegExp): Promise<RegExpExecArray> {
    await expect.poll(() => what.test(this.said) || this.said, { timeout: PATIENCE_MS }).toBe(true)
    return what.exec(this.said)!
  }
  /** Types lines and waits until the last one has ended well. @returns what they said */
  async run(lines: string): Promise<string> {
    const [from, mark] = [this.said.length, randomBytes(6).toString('hex')]
    this.type(`set -e\n${lines}\nset +e\necho; echo ${mark}`)
    await this.hears(new RegExp(mark))
    return this.said.slice(from).replace(mark, '').trim()
  }
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null) return
    const gone = once(this.#shell, 'exit')
    process.kill(-this.#shell.pid!, 'SIGTERM')
    await gone
  }
}
afterAll(async () => {
  await Promise.all(Terminal.all.map((terminal) => terminal.close()))
  rmSync(home, { recursive: true, force: true })
})

test.runIf(hasCurl)(
  'I1 the lines of the quickstart, as they are written, lead to a first ticket and to a program that hears of it',
  async () => {
    const [start, create, take, program, receive, listen, trigger, ...rest] = blocks
    expect(rest).toEqual([])
    expect(program).toMatchObject({ language: 'js', title: 'hook.mjs' })
    const started = monotonicMs()
    // What installs is tried by whoever runs this.
    const [install, demo] = start!.text.trim().split('\n')
    expect(install).toBe('npm ci')
    await new Terminal().type(demo!).hears(new RegExp(`SmartQueue demo: http://localhost:${server}`))

    const second = new Terminal()
    expect(await second.run(create!.text)).toMatch(/Key: sk_test_/)
    const ticket = JSON.parse(await second.run(take!.text)) as Record<string, unknown>
    expect(ticket).toMatchObject({ number: expect.stringMatching(/^[A-E]/), status: 'en_attente', channel: 'api' })
    const seconds = ((monotonicMs() - started) / 1000).toFixed(1)

    writeFileSync(join(home, program!.title!), program!.text)
    const receiver = new Terminal(home).type(receive!.text)
    await new Terminal().type(listen!.text).hears(/Secret of their signatures: whsec_/)
    const [, number] = /ticket.called: ticket (\w+)/.exec(await second.run(trigger!.text))!
    await receiver.hears(new RegExp(`ticket\\.called ${number}`))
    process.stdout.write(`first ticket after ${seconds} s\n`)
  },
)
