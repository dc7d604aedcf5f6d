import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { pushBrowser } from '../../../../test/providers/push.ts'
import type { Actor } from '../../../kernel/access.ts'
import { pushKey, usePush } from '../../../kernel/push/index.ts'
import { aLab } from '../test/branch.ts'
import { visitorOf } from '../visitor.ts'
import { pushJob } from './push.ts'

const lab = await aLab()
usePush('s'.repeat(40), { subject: 'mailto:a@example.org', allowsLoopback: true })

/** The browser's half: a push service that keeps what it is given, and the keys to read it. */
const received: { headers: IncomingHttpHeaders; body: Buffer }[] = []
let status = 201
const service = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks) })
    response.writeHead(status).end()
  })
})
await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
afterAll(() => void service.close())
const endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}/send/1`
const { keys, decrypt } = pushBrowser()
const subscription = { endpoint, ...keys }

test('a call wakes the phone that asked for it, once, readable by that phone alone', async () => {
  const b = await lab.branch()
  const run = (ticketId: number) =>
    pushJob.run(
      { runtime: lab.runtime, tenants: async () => [b.tenant] },
      { tenant_id: b.tenant.id, ticket_id: ticketId },
    )
  const { id, public_token, number } = await b.take()
  const me = b.as((await visitorOf(lab.db, public_token)) as Actor)
  await me('tickets.subscribe', subscription)
  await me('tickets.subscribe', subscription)
  await run(id)
  expect(received).toEqual([])

  await b.callNext()
  const jobs = await lab.owner<{ key: string }>(
    `select key from graphile_worker.jobs where task_identifier = 'tickets.push'`,
  )
  expect(jobs).toEqual([{ key: `push:${b.tenant.id}:${id}` }])
  await run(id)
  expect(received).toHaveLength(1)
  const { headers, body } = received[0]!
  expect(headers).toMatchObject({ 'content-encoding': 'aes128gcm', urgency: 'high', ttl: '300' })
  expect(headers.authorization).toContain(`k=${pushKey()}`)
  expect(decrypt(body)).toMatchObject({
    title: 'It is your turn',
    body: `Number ${number.replace('A', 'A-')}, Counter 1`,
  })

  status = 410
  await run(id)
  expect(await lab.owner('select from push_subscriptions where ticket_id = $1', [id])).toEqual([])
  status = 201
})

test('who did not ask costs no job, and only push services are ever asked', async () => {
  const b = await lab.branch()
  const { public_token } = await b.take()
  const me = b.as((await visitorOf(lab.db, public_token)) as Actor)
  for (const wrong of [
    'https://example.org/x',
    'http://fcm.googleapis.com/x',
    'https://fcm.googleapis.com.evil.org/',
    'x',
  ])
    await expect(me('tickets.subscribe', { ...subscription, endpoint: wrong })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  await b.callNext()
  const jobs = await lab.owner(`select from graphile_worker.jobs where key like $1`, [`push:${b.tenant.id}:%`])
  expect(jobs).toEqual([])
})
