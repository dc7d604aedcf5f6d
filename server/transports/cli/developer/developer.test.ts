import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook as Verifier } from 'standardwebhooks'
import { afterAll, expect, test } from 'vitest'
import { eventsList, queuesUpdate, ticketsTake } from '../../../../sdk/src/index.ts'
import { startApp } from '../../../test/app.ts'
import { whenOver } from '../../../test/when-over.ts'
import { quickHash } from '../../../test/password.ts'
import { connect } from './credentials.ts'
import { listen } from './listen.ts'
import { resend, tailTickets } from './log.ts'
import { login } from './login.ts'
import { traffic } from './traffic.ts'
import { trigger } from './trigger.ts'

const PASSWORD = 'correct horse battery staple'
const directory = mkdtempSync(join(tmpdir(), 'smartqueue-cli-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const server = await startApp()
const t = await server.aTenant({ slug: 'play', queues: 2, agents: 2 })
const real = await server.aTenant({ slug: 'real' })
await server.owner('update users set password_hash = $1', [quickHash(PASSWORD)])
await server.owner('update tenants set is_sandbox = true where id = $1', [t.tenant.id])
const baseUrl = await server.listen()
const credentials = join(directory, 'key.json')

/** Lines that a command prints. */
function printed() {
  const lines: string[] = []
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = ((text: string) => {
    if (typeof text === 'string' && !text.startsWith('\u001b')) lines.push(...text.split('\n').filter(Boolean))
    return true
  }) as typeof write
  return { lines, stop: () => void (process.stdout.write = write) }
}
async function quietly<T>(work: () => Promise<T>): Promise<string[]> {
  const said = printed()
  try {
    await work()
  } finally {
    said.stop()
  }
  return said.lines
}
const signIn = (tenant: string, file = credentials) =>
  quietly(() => login({ tenant, baseUrl, email: `admin1@${tenant}.example`, password: PASSWORD, credentials: file }))

async function aReceiver() {
  const received: { body: string; headers: Record<string, string> }[] = []
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    received.push({ body, headers: request.headers as Record<string, string> })
    response.end()
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  whenOver(() => void http.close().closeAllConnections())
  return { received, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/hook` }
}

test('login keeps a key that its owner alone can read, of a sandbox a test key', async () => {
  writeFileSync(credentials, 'of somebody else', { mode: 0o644 })
  expect(await signIn('play')).toEqual([expect.stringContaining('logged in to play')])
  expect(statSync(credentials).mode & 0o777).toBe(0o600)
  const { key, tenant } = connect({ credentials })
  expect([tenant, key]).toEqual(['play', expect.stringMatching(/^sk_test_/)])
  await expect(quietly(() => login({ tenant: 'play', baseUrl, key: 'sk_test_nothing', credentials }))).rejects.toThrow()
  expect(() => connect({ credentials: join(directory, 'nowhere.json') })).toThrow('log in first')
})

test('a test key changes nothing outside a sandbox', async () => {
  await expect(
    server.app.inject({
      method: 'POST',
      url: '/api/v1/tenants/real/api-keys/',
      headers: server.as(real.admin),
      payload: { name: 'Try', mode: 'test', scopes: ['write:ticket'] },
    }),
  ).resolves.toMatchObject({ statusCode: 400 })
})

test('I3 listen hears what trigger makes happen, signed; the same event comes again under the same id', async () => {
  await signIn('play')
  const here = await aReceiver()
  const ending = new AbortController()
  const said = printed()
  try {
    const listening = listen(here.url, { credentials, events: ['ticket.*'] }, ending.signal)
    await expect.poll(() => said.lines.some((line) => line.startsWith('Secret'))).toBe(true)
    const { webhook_secret, client } = connect({ credentials })
    for (const { id } of t.queues) await client.call(queuesUpdate, { id, recall_gap_seconds: 0 })
    await client.call(ticketsTake, { queue_id: t.queues[0]!.id, channel: 'api' })
    await expect.poll(() => here.received).not.toEqual([])
    const events =
      'ticket.called ticket.recalled ticket.started ticket.held ticket.resumed ticket.completed ticket.no_show ticket.returned ticket.transferred ticket.cancelled ticket.delayed ticket.updated'
    for (const event of events.split(' ')) {
      await server.owner(`update agents set status = 'available' where tenant_id = $1`, [t.tenant.id])
      await trigger(event, { credentials })
      await expect.poll(() => here.received.map(({ body }) => JSON.parse(body).type)).toContain(event)
      // Whoever was called goes, so that there is somebody free.
      await server.owner(
        `update tickets set status = 'annulé', ended_at = now() where tenant_id = $1 and ended_at is null`,
        [t.tenant.id],
      )
    }
    const [first] = here.received
    expect(new Verifier(webhook_secret).verify(first!.body, first!.headers)).toMatchObject({ tenant: 'play' })
    expect(() => new Verifier(webhook_secret).verify(`${first!.body} `, first!.headers)).toThrow()
    await resend(first!.headers['webhook-id']!, { credentials, forwardTo: here.url })
    const again = here.received.filter(({ headers }) => headers['webhook-id'] === first!.headers['webhook-id'])
    expect(again.map(({ body }) => body)).toEqual([first!.body, first!.body])
    await resend(first!.headers['webhook-id']!, { credentials })
    expect(said.lines.at(-1)).toContain('0 to send')
    ending.abort()
    await listening
    await expect(trigger('ticket.invented', { credentials })).rejects.toThrow('cannot be triggered')
  } finally {
    said.stop()
    ending.abort()
  }
})

test('nothing is triggered, and nobody comes, where people would see it', async () => {
  const file = join(directory, 'real.json')
  await signIn('real', file)
  await expect(trigger('ticket.called', { credentials: file })).rejects.toThrow('no sandbox')
  await expect(traffic({ credentials: file, rate: '60', speed: '20' })).rejects.toThrow('no sandbox')
})

test('a sandbox lives: visitors come, are served, and the tail tells', async () => {
  await signIn('play')
  const { client } = connect({ credentials })
  await server.owner(`update agents set status = 'available' where tenant_id = $1`, [t.tenant.id])
  const { next } = await client.call(eventsList, { after: 'now' })
  const [{ at }] = (await server.owner<{ at: string }>('select clock_timestamp() as at')) as [{ at: string }]
  let outcome: Awaited<ReturnType<typeof traffic>> | undefined
  await quietly(async () => {
    outcome = await traffic({ credentials, rate: '1200', speed: '20000', visitors: '6' })
  })
  expect(outcome!.came).toBe(6)
  expect(outcome!.served).toBeGreaterThan(0)
  const { results } = await client.call(eventsList, { after: next, types: ['ticket.completed'] })
  expect(results).toHaveLength(outcome!.served)
  const ending = new AbortController()
  const said = printed()
  try {
    const tailing = tailTickets({ credentials, since: at }, ending.signal)
    await expect.poll(() => said.lines.filter((line) => line.includes('ticket.created'))).toHaveLength(6)
    ending.abort()
    await tailing
  } finally {
    said.stop()
  }
  expect(said.lines.some((line) => /ticket\.completed +[AB]\d+ +terminé/.test(line))).toBe(true)
})
