import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp } from '../server/test/app.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const tsc = join(root, 'node_modules/.bin/tsc')
const run = promisify(execFile)
const project = mkdtempSync(join(tmpdir(), 'smartqueue-sdk-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))
const server = await startApp()
const t = await server.aTenant({ slug: 'sdk', queues: 2 })
const url = await server.listen()

/** What somebody writes who has read the first page of the manual. */
const PROGRAM = `
import { SmartQueue, Problem, auditExport, ticketsTake, ticketsList, ticketsCall, webhooksCreate, verifyWebhook, type Event } from 'smartqueue-sdk'
import type { Ticket } from 'smartqueue-sdk/graphql'

declare const process: { argv: string[] }
const [, , baseUrl, token, queueId, agentId] = process.argv as [string, string, string, string, string, string]
const sq = new SmartQueue({ baseUrl, tenant: 'sdk', token, language: 'en' })
const queue_id = Number(queueId)

const seen: number[] = []
const enough = Promise.withResolvers<void>()
const live = sq.follow('queues', queue_id, {
  onChange(board) {
    seen.push(board.waiting_count)
    if (board.called.length > 0) enough.resolve()
  },
})
const ending = new AbortController()
const told: Event[] = []
const log = (async () => {
  for await (const { event } of sq.events({ types: ['ticket.*'], pollMs: 50, signal: ending.signal })) {
    told.push(event)
    if (event.type === 'ticket.called') return
  }
})()
const ticket = await sq.call(ticketsTake, { queue_id, channel: 'api' }, { idempotencyKey: 'once' })
const again = await sq.call(ticketsTake, { queue_id, channel: 'api' }, { idempotencyKey: 'once' })
const { results } = await sq.call(ticketsList, { status: 'en_attente' })
const number: string = results[0]!.number
const { ticket: asked } = await sq.graphql<{ ticket: Pick<Ticket, 'id' | 'number'> }>(
  'query ($id: ID!) { ticket(id: $id) { id number } }', { id: ticket.id })
await sq.call(ticketsCall, { id: ticket.id, agent_id: Number(agentId) })
await enough.promise
await log
ending.abort()
live.close()
const refused = await sq.call(ticketsTake, { queue_id: 999_999, channel: 'api' }).catch((error: unknown) => error as Problem)
const { secret } = await sq.call(webhooksCreate, { url: 'https://example.org/' })
const trail = await sq.call(auditExport, { limit: 2 })
const body = JSON.stringify({ type: 'ticket.called' })
const at = String(Math.floor(Date.now() / 1000))
const key = await crypto.subtle.importKey('raw', Uint8Array.from(atob(secret.slice(6)), (c) => c.charCodeAt(0)), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('evt.' + at + '.' + body))
const headers = { 'webhook-id': 'evt', 'webhook-timestamp': at, 'webhook-signature': 'v1,' + btoa(String.fromCharCode(...new Uint8Array(mac))) }
const verified = await verifyWebhook(secret, headers, body)
const forged = await verifyWebhook(secret, headers, body + ' ').catch((error: Error) => error.message)
console.log(JSON.stringify({
  isSame: ticket.id === again.id, number, graphql: asked.number, seen, told: told.map(({ type }) => type),
  refused: refused instanceof Problem && [refused.status, refused.code, Boolean(refused.requestId)], verified: verified.type, forged,
  trail: trail.trimEnd().split('\\n').map((line) => JSON.parse(line).seq),
}))
`
const OPTIONS = {
  compilerOptions: {
    target: 'esnext',
    module: 'nodenext',
    lib: ['esnext', 'dom', 'dom.iterable'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // Also what the package itself says is looked at.
    skipLibCheck: false,
  },
  files: ['main.ts'],
}

beforeAll(() => {
  execFileSync(tsc, ['-p', join(root, 'sdk')])
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  npm(['pack', '--pack-destination', project], join(root, 'sdk'))
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz'))!
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'blank', private: true, type: 'module' }))
  npm(['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`], project)
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(OPTIONS))
  writeFileSync(join(project, 'main.ts'), PROGRAM)
})

test('the packed tarball works in a blank project: types, REST, live views, the log, GraphQL, webhooks', async () => {
  await run(tsc, ['-p', '.'], { cwd: project })
  const arguments_ = ['main.js', url, server.tokenOf(t.apiKey), String(t.queues[0]!.id), String(t.agents[0]!.id)]
  const { stdout } = await run(process.execPath, arguments_, { cwd: project })
  const said = JSON.parse(stdout) as Record<string, unknown>
  expect(said).toEqual({
    isSame: true,
    number: expect.stringMatching(/^A/),
    graphql: said['number'],
    seen: expect.any(Array),
    told: ['ticket.created', 'ticket.called'],
    refused: [404, 'not_found', true],
    verified: 'ticket.called',
    forged: 'the signature is not ours',
    trail: [1, 2],
  })
})

test('types refuse what the server would refuse', async () => {
  const wrong = PROGRAM.replace(
    "{ queue_id, channel: 'api' }, { idempotencyKey: 'once' }",
    "{ queue_id: 'three', channel: 'api' }, {}",
  )
  expect(wrong).not.toBe(PROGRAM)
  writeFileSync(join(project, 'wrong.ts'), wrong)
  writeFileSync(join(project, 'wrong.json'), JSON.stringify({ ...OPTIONS, files: ['wrong.ts'] }))
  const refused = await run(tsc, ['-p', 'wrong.json', '--noEmit'], { cwd: project }).catch(
    (error: { stdout: string }) => error,
  )
  expect(refused.stdout).toContain("Type 'string' is not assignable to type 'number'")
})

test('the package brings nothing with it', () => {
  const installed = JSON.parse(
    readFileSync(join(project, 'node_modules/smartqueue-sdk/package.json'), 'utf8'),
  ) as object
  expect(installed).not.toHaveProperty('dependencies')
  expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['smartqueue-sdk'])
})
