import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { testDatabase } from '../../test/harness.ts'
import { smartqueue } from './program.ts'

const { owner, url, directUrl } = await testDatabase()
const tracker = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
await once(tracker, 'listening')
afterAll(() => tracker.close())
const loopback = `http://127.0.0.1:${(tracker.address() as AddressInfo).port}`
const directory = mkdtempSync(join(tmpdir(), 'sq-cli-'))
afterAll(() => rmSync(directory, { recursive: true }))
const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))
const environment = {
  PATH: '/usr/bin:/bin',
  LANG: 'en_GB.UTF-8',
  DATABASE_URL: url,
  DATABASE_DIRECT_URL: directUrl,
  DATA_DIR: directory,
  METRICS_PORT: '0',
}

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: directory, env: { ...environment, ...env } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)))
  return { child, output }
}
/** Runs a command line as a process of its own; words are parted by single spaces. */
async function spawned(line: string, env: Record<string, string> = {}) {
  const { child, output } = start(line.split(' '), env)
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...output }
}
/** Runs it here: what takes a process of its own longest is to load the program, once more for each. One after the other. */
async function run(line: string, env: Record<string, string> = {}) {
  const output = { stdout: '', stderr: '' }
  const { exitCode, cwd, stdout, stderr } = process
  const written = { stdout: stdout.write, stderr: stderr.write }
  const { resolvedOptions } = Intl.DateTimeFormat.prototype
  const locale = (env['LANG'] ?? environment.LANG).replace(/_(..).*/, '-$1')
  for (const [name, value] of Object.entries({ ...environment, ...env })) vi.stubEnv(name, value)
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (text: string | Uint8Array) => {
      output[name] += String(text)
      return true
    }
  }
  process.cwd = () => directory
  Intl.DateTimeFormat.prototype.resolvedOptions = function () {
    return { ...resolvedOptions.call(this), locale }
  }
  process.exitCode = undefined
  try {
    await smartqueue(line.split(' '))
    return { code: process.exitCode ?? 0, ...output }
  } finally {
    Object.assign(process, { exitCode, cwd })
    stdout.write = written.stdout
    stderr.write = written.stderr
    Intl.DateTimeFormat.prototype.resolvedOptions = resolvedOptions
    vi.unstubAllEnvs()
  }
}
const answer = async <Answer>(line: string) => JSON.parse((await run(line)).stdout) as Answer
interface Row {
  id: number
}

test('an organisation is created, in both spellings of the command, and operations run in it', async () => {
  const created = await run('create-tenant --name Demo --slug demo-bank --timezone Europe/Paris')
  const second = await run('create_tenant --name Two --slug two')
  expect([created.code, created.stderr, second.code]).toEqual([0, '', 0])
  expect(JSON.parse(created.stdout)).toMatchObject({ slug: 'demo-bank', timezone: 'Europe/Paris' })

  const service = await answer<Row>('services.create --tenant demo-bank --name Caisse --code A --names {"en":"Cash"}')
  const site = await answer<Row>('sites.create --tenant demo-bank --name Centre')
  expect(service).toMatchObject({ name: 'Caisse', names: { en: 'Cash' } })
  const queue = await answer<Row>(
    `queues.create --tenant demo-bank --site_id ${site.id} --service-id ${service.id} --name Caisse`,
  )
  const taken = await answer<{ public_token: string }>(
    `tickets.take --tenant demo-bank --queue-id ${queue.id} --channel kiosk --needs ramp ear`,
  )
  expect(taken).toMatchObject({ number: 'A001', needs: ['ramp', 'ear'] })
  expect(await answer(`tickets.mine --token ${taken.public_token}`)).toMatchObject({
    ticket: { number: 'A001', position: 1 },
  })
})

test.each([
  ['en_GB.UTF-8', run, 'Some of what was sent is not valid.', 'This field is required.'],
  ['fr_FR.UTF-8', spawned, 'Certaines données envoyées ne sont pas valides.', 'Ce champ est obligatoire.'],
])('a refusal is told in the terminal’s language (%s) and fails', async (LANG, run, title, field) => {
  const refused = await run('services.create --tenant demo-bank --code B', { LANG })
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toContain(title)
  expect(refused.stderr).toContain(`name: ${field}`)
})

test.each([
  ['fr_FR.UTF-8', 'tickets.list', run, 'L’option --tenant <slug> est obligatoire.'],
  ['fr_FR.UTF-8', 'doctor --tenan', run, 'Option inconnue : --tenan.'],
  ['ar_MA.UTF-8', 'serv', spawned, 'الأمر serv غير معروف. هل تقصد serve؟'],
  ['en_GB.UTF-8', 'replay', spawned, 'The argument trace.csv.gz is missing.'],
])('a wrong command line is told in the terminal’s language (%s: %s)', async (LANG, line, run, sentence) => {
  expect(await run(line, { LANG })).toEqual({ code: 1, stdout: '', stderr: `${sentence}\n` })
})

test('unknown operations, flags, organisations and roles fail with a sentence', async () => {
  const refusals = [
    await run('tickets.nonsense'),
    await run('tickets.list --tenant demo-bank --nonsense x'),
    await run('tickets.list --tenant nowhere'),
    await run('serve --roles x'),
  ]
  for (const { code, stdout } of refusals) expect([code, stdout]).toEqual([1, ''])
  const said = refusals.map(({ stderr }) => stderr)
  expect(said[0]).toContain('there is no operation tickets.nonsense')
  expect(said[1]).toContain('There is no option --nonsense.')
  expect(said[2]).toContain('There is no organisation nowhere')
  expect(said[3]).toContain('the roles are api, realtime, worker')
})

test('an operator is made, the doctor finds what is well and what is not, help follows from the schema', async () => {
  const made = await run('createsuperuser --email Root@Example.org --name Root --password correct-horse-battery')
  const refused = await run('createsuperuser --email root --name Root --password short')
  const help = await run('tickets.take --help')
  const migrated = await run('migrate')
  // What watches over a process stays in it.
  const doctor = await spawned('doctor', {
    SENTRY_DSN: `${loopback.replace('//', '//key@')}/1`,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OPENSEARCH_URL: 'http://127.0.0.1:9',
  })
  expect(made).toMatchObject({ code: 0, stdout: 'root@example.org is an operator of the platform\n' })
  const users = await owner('select is_operator from users where email = $1', ['root@example.org'])
  expect(users).toEqual([{ is_operator: true }])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/email: .*\n.*password: /)
  expect(await owner('select from users where email = $1', ['root'])).toEqual([])
  expect(doctor.stdout).toMatch(/ok {4}application role: bound by row-level security/)
  expect(doctor.stdout).toContain(`ok    error reports: ${new URL(loopback).host} takes them`)
  expect(doctor.stdout).toContain('ok    media: the data directory takes and gives files')
  // A collector or a search server that is away is no small thing to somebody who relies on it.
  expect(doctor.stdout.match(/^FAIL.*/gm)).toEqual([
    expect.stringContaining('FAIL  search: '),
    expect.stringContaining('FAIL  traces: '),
  ])
  expect(doctor.code).toBe(1)
  expect(help.stdout).toMatch(/--queue-id <integer>\s+required/)
  expect(help.stdout).toContain('--channel <web|qr|kiosk|reception|sms|appointment|api>')
  expect(migrated.stdout).toBe('the database is up to date\n')
})

test('what cannot work is named: a lost database by the doctor, every bad setting by the server', async () => {
  const lost = await run('doctor', { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', DATABASE_DIRECT_URL: '' })
  const refused = await run('serve', { NODE_ENV: 'production', SECRET_KEY: 'short', PORT: 'x' })
  expect([lost.code, refused.code]).toEqual([1, 1])
  expect(lost.stdout).toContain('FAIL  database')
  for (const name of ['SECRET_KEY', 'PORT', 'ALLOWED_HOSTS']) expect(refused.stderr).toContain(name)
})

test('serve answers, and on SIGTERM finishes what it has before it goes', async () => {
  const port = String(20_000 + (process.pid % 10_000))
  const { child, output } = start(['serve', '--port', port, '--host', '127.0.0.1'], { LOG_LEVEL: 'warn' })
  await expect.poll(() => output.stdout + output.stderr).toContain(`http://localhost:${port}`)
  const base = `http://127.0.0.1:${port}`
  expect(await (await fetch(`${base}/readyz`)).json()).toEqual({ status: 'ok' })
  const taken = await fetch(`${base}/public/demo-bank/tickets/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queue_id: 1, channel: 'web' }),
  })
  const { public_token: token } = (await taken.json()) as { public_token: string }
  // A command beside it gives links that lead to it, whatever its port.
  const beside = await run('tickets.take --tenant demo-bank --queue-id 1 --channel kiosk')
  expect(JSON.parse(beside.stdout)).toMatchObject({ url: expect.stringContaining(`http://localhost:${port}/t/`) })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/tickets/${token}/`)
  await once(socket, 'message')
  const closed = once(socket, 'close')
  child.kill('SIGTERM')
  expect((await closed)[0]).toBe(1012)
  expect(await once(child, 'close')).toEqual([0, null])
})
