import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startApp } from '../../test/app.ts'

const IDLE_MS = 2000
const server = await startApp({ RATE_LIMIT_FACTOR: '1' }, { idleSocketMs: IDLE_MS })
const patient = await startApp({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.0/8' })
const t = await server.aTenant({ slug: 'bank', agents: 1 })
const u = await patient.aTenant({ slug: 'bank', agents: 2 })
const at = async (of: typeof server) => `${(await of.listen()).replace('http', 'ws')}/graphql`
const [idleUrl, url] = [await at(server), await at(patient)]

interface Open {
  socket: WebSocket
  /** The first answer to `connection_init`: a message, or how it was closed. */
  answered: Promise<string>
  closed: Promise<string>
}
function open(to: string, init: object | null, address = '203.0.113.1'): Open {
  const socket = new WebSocket(to, 'graphql-transport-ws', { headers: { 'x-forwarded-for': address } })
  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`))
    socket.on('error', () => {})
    socket.on('unexpected-response', (_, { statusCode }) => resolve(`HTTP ${statusCode}`))
  })
  if (init) socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: init })))
  const message = once(socket, 'message').then(([data]) => (JSON.parse(String(data)) as { type: string }).type)
  return { socket, closed, answered: Promise.race([message, closed]) }
}
const queue = t.queues[0]!.id
const subscribe = {
  type: 'subscribe',
  id: 'a',
  payload: { query: `subscription { queue(queue_id: ${queue}) { type } }` },
}

test('a socket that asks for nothing is closed; one that follows something is not', async () => {
  const token = { authorization: `Bearer ${server.tokenOf(t.admin)}` }
  const [idle, following] = [open(idleUrl, token), open(idleUrl, token)]
  expect(await Promise.all([idle.answered, following.answered])).toEqual(['connection_ack', 'connection_ack'])
  following.socket.send(JSON.stringify(subscribe))
  await once(following.socket, 'message')
  expect(await idle.closed).toBe('1000 idle')
  expect(following.socket.readyState).toBe(WebSocket.OPEN)
  // From the end of what it followed it is idle as well.
  following.socket.send(JSON.stringify({ type: 'complete', id: 'a' }))
  expect(await following.closed).toBe('1000 idle')
})

test('a person has so many sockets, whether or not they follow anything; one that goes makes room', async () => {
  const token = (who: typeof u.admin) => ({ authorization: `Bearer ${patient.tokenOf(who)}` })
  const [agent, other] = [u.agentActors[0]!, u.admin]
  const own: Open[] = []
  for (let n = 0; n < 100; n++) own.push(open(url, token(agent), `203.0.113.${n}`))
  expect(new Set(await Promise.all(own.map(({ answered }) => answered)))).toEqual(new Set(['connection_ack']))
  expect(await open(url, token(agent)).answered).toBe('4429 too_many_connections')
  // Somebody else is not concerned.
  const others = open(url, token(other))
  expect(await others.answered).toBe('connection_ack')
  own[0]!.socket.close()
  await own[0]!.closed
  await expect
    .poll(async () => {
      const again = open(url, token(agent))
      own.push(again)
      return again.answered
    })
    .toBe('connection_ack')
  for (const { socket } of [...own, others]) socket.terminate()
})

test('an address has so many, also of strangers who follow nothing', async () => {
  const strangers = Array.from({ length: 2000 }, () => open(url, {}, '198.51.100.9'))
  expect(new Set(await Promise.all(strangers.map(({ answered }) => answered)))).toEqual(new Set(['connection_ack']))
  expect(await open(url, {}, '198.51.100.10').answered).toBe('HTTP 429')
  expect(await open(url, {}, '198.51.101.9').answered).toBe('connection_ack')
  for (const { socket } of strangers) socket.terminate()
  await expect.poll(() => open(url, {}, '198.51.100.10').answered).toBe('connection_ack')
})
