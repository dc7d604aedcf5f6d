import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from './client.ts'
import { tokenFor, type World } from './world.ts'

export interface SmugglingReport {
  attacks: number
  /** Answers to a request that was hidden in another, or that somebody else was given. */
  smuggled: number
  /** Requests of others that were not answered as usual afterwards. */
  victims: number
  victimsDisturbed: number
  faults: number
  tenantSpoofed: number
  /** Of a hundred requests from one address that says it is as many. */
  admitted: number
  controlSmuggled: number
  controlAdmitted: number
}
interface SmugglingOptions {
  world: World
  directory: string
  /** Believes what the proxy says of addresses, and counts as in production. */
  behindProxy: number
  /** Believes whoever says something. */
  credulous: number
  port: number
  freePort(): Promise<number>
  found(line: string): void
}

/** `apt-get install nginx-light` brings it. */
export const nginxPath = (): string | undefined =>
  ['nginx', '/usr/sbin/nginx'].find((path) => spawnSync(path, ['-v']).status === 0)

const HIDDEN = 'smuggled-request'
const hidden = `GET /api/v1/nowhere/ HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${HIDDEN}\r\n\r\n`
const POST = '/api/v1/auth/sso/start/'
const head = (...fields: string[]) =>
  `POST ${POST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`
const LENGTH = hidden.length

/** Requests that two programs may end in two places. */
const ATTACKS: Readonly<Record<string, string>> = {
  'CL.TE': head(`Content-Length: ${5 + LENGTH}`, 'Transfer-Encoding: chunked') + `0\r\n\r\n${hidden}`,
  'TE.CL': head('Content-Length: 4', 'Transfer-Encoding: chunked') + `${LENGTH.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
  'TE.TE, one of them unknown':
    head('Content-Length: 4', 'Transfer-Encoding: chunked', 'Transfer-Encoding: x') +
    `${LENGTH.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
  'Transfer-Encoding: xchunked': head('Content-Length: 4', 'Transfer-Encoding: xchunked') + `0\r\n\r\n${hidden}`,
  'Transfer-Encoding : chunked':
    head(`Content-Length: ${5 + LENGTH}`, 'Transfer-Encoding : chunked') + `0\r\n\r\n${hidden}`,
  'Transfer-Encoding:\\tchunked':
    head(`Content-Length: ${5 + LENGTH}`, 'Transfer-Encoding:\tchunked') + `0\r\n\r\n${hidden}`,
  'Transfer-Encoding: identity, chunked':
    head(`Content-Length: ${5 + LENGTH}`, 'Transfer-Encoding: identity, chunked') + `0\r\n\r\n${hidden}`,
  'Transfer-Encoding: chunked, identity': head('Transfer-Encoding: chunked, identity') + `0\r\n\r\n${hidden}`,
  'a folded field':
    head(`Content-Length: ${5 + LENGTH}`, 'X-Folded: a\r\n Transfer-Encoding: chunked') + `0\r\n\r\n${hidden}`,
  'a folded Transfer-Encoding':
    head(`Content-Length: ${5 + LENGTH}`, 'Transfer-Encoding:\r\n chunked') + `0\r\n\r\n${hidden}`,
  'two lengths': head('Content-Length: 2', `Content-Length: ${2 + LENGTH}`) + `{}${hidden}`,
  'two lengths, the longer first': head(`Content-Length: ${2 + LENGTH}`, 'Content-Length: 2') + `{}${hidden}`,
  'two lengths in one field': head(`Content-Length: 2, ${2 + LENGTH}`) + `{}${hidden}`,
  'Content-Length: +2': head('Content-Length: +2') + `{}${hidden}`,
  'Content-Length: 0x2': head('Content-Length: 0x2') + `{}${hidden}`,
  'Content-Length: -1': head('Content-Length: -1') + `{}${hidden}`,
  'Content-Length: 2 2': head('Content-Length: 2 2') + `{}${hidden}`,
  'a length above all numbers': head('Content-Length: 18446744073709551618') + `{}${hidden}`,
  'a chunk that is no number': head('Transfer-Encoding: chunked') + `zz\r\n{}\r\n0\r\n\r\n${hidden}`,
  'a chunk with a sign': head('Transfer-Encoding: chunked') + `+2\r\n{}\r\n-0\r\n\r\n${hidden}`,
  'a chunk of 2^64 + 2': head('Transfer-Encoding: chunked') + `10000000000000002\r\n{}\r\n0\r\n\r\n${hidden}`,
  'a chunk longer than it says': head('Transfer-Encoding: chunked') + `1\r\n{}\r\n0\r\n\r\n${hidden}`,
  'chunks ended by \\n alone': head('Transfer-Encoding: chunked') + `2\n{}\n0\n\n${hidden}`,
  'an endless chunk extension':
    head('Transfer-Encoding: chunked') + `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n${hidden}`,
  'HTTP/1.0 in chunks': `POST ${POST} HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n${hidden}`,
  'a GET with a body that is none': `GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length : ${LENGTH}\r\n\r\n${hidden}`,
  'a carriage return in a field': head('Content-Length: 2', 'X-A: b\rTransfer-Encoding: chunked') + `{}`,
  'a null in a name': head('Content-Length: 2', 'X\0A: b') + '{}',
  'a space in the target':
    `GET /healthz HTTP/1.1\r\nX: GET /api/v1/nowhere/ HTTP/1.1\r\nHost: evil.example\r\n\r\n`.replace(
      'HTTP/1.1\r\nX:',
      'x HTTP/1.1\r\nX:',
    ),
  'an absolute target elsewhere': `GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  'two hosts': `GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n`,
  'Expect and a length': head(`Content-Length: ${LENGTH}`, 'Expect: 100-continue'),
  'an upgrade that is none': `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n\r\n${hidden}`,
}
const STRANGERS = 100

/** What a connection that says this is answered, for a second and a half at most. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    let text = ''
    const end = () => {
      socket.destroy()
      resolve(text)
    }
    const late = setTimeout(end, 700)
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    socket.on('error', end)
    socket.on('close', () => {
      clearTimeout(late)
      resolve(text)
    })
  })
}

/** A server behind nginx, and by itself, asked by whoever tries to hide one request in another. */
export async function smuggling(options: SmugglingOptions): Promise<SmugglingReport> {
  const { world, behindProxy, found } = options
  const report: SmugglingReport = {
    attacks: 0,
    smuggled: 0,
    victims: 0,
    victimsDisturbed: 0,
    faults: 0,
    tenantSpoofed: 0,
    admitted: 0,
    controlSmuggled: 0,
    controlAdmitted: 0,
  }
  const [front, loose] = [await startNginx(options, behindProxy), await startNginx(options, options.credulous)]
  const [client, direct] = [new Client(front.port), new Client(options.port)]
  try {
    const token = tokenFor(world.own, 'admin')
    const usual = () => client.json('GET', `/api/v1/tenants/${world.own.slug}/sites/`, token)
    const expected = (await usual()).body
    for (const [name, bytes] of Object.entries(ATTACKS))
      for (const [where, port] of [
        ['nginx', front.port],
        ['itself', behindProxy],
      ] as const) {
        const text = await raw(port, bytes)
        report.attacks++
        if (text.includes(HIDDEN)) {
          report.smuggled++
          found(`${name} through ${where}: ${text.slice(0, 300).replaceAll('\r\n', ' | ')}`)
        }
        if (/^HTTP\/1\.1 5(?!01|05)/m.test(text)) {
          report.faults++
          found(`${name} through ${where}: ${text.slice(0, 100)}`)
        }
        const answers = await Promise.all([usual(), usual()])
        report.victims += answers.length
        for (const { status, body } of answers)
          if (status !== 200 || body !== expected || body.includes(HIDDEN)) {
            report.victimsDisturbed++
            found(`after ${name} through ${where}: ${status} ${body.slice(0, 100)}`)
          }
      }
    for (const each of [client, direct])
      for (const header of ['X_Tenant', 'x_tenant', 'X-Original-Tenant', 'X-Forwarded-Tenant']) {
        const headers = { authorization: `Bearer ${token}`, [header]: world.other.slug }
        const { status, body } = await each.send({ method: 'GET', path: '/api/v1/sites/', headers })
        if (status !== 200 || body.includes(world.other.canary)) report.tenantSpoofed++
      }
    report.admitted = await strangers(front.port)
    report.controlAdmitted = await strangers(loose.port)
    report.controlSmuggled = await naivelySmuggled()
  } finally {
    client.close()
    direct.close()
    await Promise.all([front.stop(), loose.stop()])
  }
  return report
}

/** How many of many requests are let in that each name another address. */
async function strangers(port: number): Promise<number> {
  // From another address than the proxy's, whose word is taken.
  const client = new Client(port, '127.0.0.2')
  let admitted = 0
  for (let n = 0; n < STRANGERS; n++) {
    const { status } = await client.send({
      method: 'POST',
      path: '/api/v1/devices/pairing/',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': `198.51.${n}.7`,
        forwarded: `for=203.0.${n}.9`,
        'x-real-ip': `192.0.${n}.1`,
      },
      body: '{}',
    })
    if (status < 300) admitted++
  }
  client.close()
  return admitted
}

/** It names every request that it knows of, so that one under another name was seen by the server behind it alone. */
async function startNginx({ directory, freePort }: SmugglingOptions, upstream: number) {
  const port = await freePort()
  const home = join(directory, `nginx-${port}`)
  mkdirSync(home, { recursive: true })
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
     events { worker_connections 256; }
     http {
       access_log off; client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy;
       fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
       upstream app { server 127.0.0.1:${upstream}; keepalive 4; }
       server { listen 127.0.0.1:${port}; location / {
         proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
         proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
         proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Request-Id front-$request_id; } } }`,
  )
  const child = spawn(nginxPath()!, ['-c', join(home, 'nginx.conf'), '-p', home], { stdio: 'ignore' })
  for (let waited = 0; waited < 10_000 && !(await raw(port, 'GET / HTTP/1.0\r\n\r\n')); waited += 100) await sleep(100)
  return {
    port,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** The attacks on a server that reads the first length it finds and knows nothing else: how many succeed. */
async function naivelySmuggled(): Promise<number> {
  const server = createServer((socket) => {
    let text = ''
    socket.on('error', () => socket.destroy())
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const fields = text.slice(0, end)
        const length = Number.parseInt(/content-length: ?(\d+)/i.exec(fields)?.[1] ?? '0', 10)
        if (text.length < end + 4 + length) return
        text = text.slice(end + 4 + length)
        const name = /x-request-id: (\S+)/i.exec(fields)?.[1] ?? ''
        socket.write(`HTTP/1.1 404 Not Found\r\nX-Request-Id: ${name}\r\nContent-Length: 0\r\n\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let smuggled = 0
  for (const bytes of Object.values(ATTACKS)) if ((await raw(port, bytes)).includes(HIDDEN)) smuggled++
  await new Promise((resolve) => server.close(resolve))
  return smuggled
}
