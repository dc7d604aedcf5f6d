import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect } from 'vitest'
import { freePort } from '../../test/faults/proxy.ts'

/** A CalDAV server of a test's own (Debian's radicale), whose calendars outlive a stop. */
export interface TestRadicale {
  readonly url: string
  start(): Promise<void>
  stop(): Promise<void>
  /** One request as `samira`. */
  ask(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Response>
  /** Makes an empty calendar; its address. */
  aCalendar(): Promise<string>
  /** Names and texts of what stands in a calendar. */
  read(calendar: string): Promise<Map<string, string>>
}
export const PASSWORD = 'trois petits chats'

/** undefined where `radicale` is not installed, which is said once on stderr. */
export async function startRadicale(): Promise<TestRadicale | undefined> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const directory = mkdtempSync(join(tmpdir(), 'sq-radicale-'))
  writeFileSync(join(directory, 'users'), `samira:${PASSWORD}\n`)
  writeFileSync(
    join(directory, 'config'),
    `[server]\nhosts = 127.0.0.1:${port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = ${directory}/users\n` +
      `htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = ${directory}/calendars\n[logging]\nlevel = error\n`,
  )
  let child: ChildProcess | undefined
  let serial = 0
  const ask: TestRadicale['ask'] = (method, path, body, headers = {}) =>
    fetch(new URL(path, url), {
      method,
      ...(body !== undefined && { body }),
      headers: { authorization: `Basic ${Buffer.from(`samira:${PASSWORD}`).toString('base64')}`, ...headers },
    })
  const radicale: TestRadicale = {
    url,
    ask,
    async start() {
      const started = spawn('radicale', ['--config', join(directory, 'config')], { stdio: 'ignore' })
      child = started
      await Promise.race([
        once(started, 'spawn'),
        once(started, 'error').then(([error]) => {
          throw error
        }),
      ])
      const listens = () =>
        ask('GET', '/.web/').then(
          () => true,
          () => false,
        )
      while (!(await listens())) {
        if (started.exitCode !== null) throw new Error('radicale ended')
        await delay(50)
      }
    },
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    async aCalendar() {
      const path = `/samira/calendar-${++serial}/`
      expect((await ask('MKCALENDAR', path)).status).toBe(201)
      return url + path
    },
    async read(calendar) {
      const list = await (await ask('PROPFIND', calendar, undefined, { depth: '1' })).text()
      const names = [...list.matchAll(/<href>([^<]*\.ics)<\/href>/g)].map(([, href]) => href!)
      const texts = await Promise.all(names.map(async (href) => (await ask('GET', href)).text()))
      return new Map(names.map((href, i) => [href.split('/').at(-1)!, texts[i]!]))
    },
  }
  afterAll(async () => {
    await radicale.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  try {
    await radicale.start()
    return radicale
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    process.stderr.write('radicale is missing, so what needs it is not tried: apt-get install radicale\n')
    return undefined
  }
}
