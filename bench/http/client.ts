/**
 * The callers of the HTTP measurements, in a process of their own: keep-alive connections, one request in flight on
 * each, requests made beforehand. Controlled by messages from `driver.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { quantile } from '../measure/stats.ts'
import { Connection } from './connection.ts'

export interface Load {
  port: number
  connections: number
  seconds: number
  /** Head and body of a request; `{id}` stands for the ids taken one after the other. */
  head: string
  body: string
  ids: {
    first: number
    count: number
    /** Begin again after the last one; otherwise the load ends there. */ wrap: boolean
  }
  /** Requests a second, whatever the answers; absent = each connection asks again as soon as it was answered. */
  rate?: number
}
export interface LoadResult {
  done: number
  seconds: number
  p50Ms: number
  p99Ms: number
  failures: number
  firstFailure: string
  /** CPU of this process per request, in microseconds. */
  clientMicroseconds: number
}

function requestMaker({ head, body, ids }: Load): () => string | undefined {
  const make = (id: number) => {
    const content = body.replaceAll('{id}', String(id))
    const length = content === '' ? '' : `Content-Length: ${Buffer.byteLength(content)}\r\n`
    return `${head.replaceAll('{id}', String(id))}${length}\r\n${content}`
  }
  const known = ids.wrap ? Array.from({ length: Math.min(ids.count, 1000) }, (_, n) => make(ids.first + n)) : []
  let n = 0
  return () => {
    if (ids.wrap) return known[n++ % known.length]
    return n < ids.count ? make(ids.first + n++) : undefined
  }
}

async function run(load: Load): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: load.connections }, () => Connection.open(load.port)))
  const next = requestMaker(load)
  const latencies: number[] = []
  let failures = 0
  let firstFailure = ''
  const note = (status: number, answer: Buffer, from: number) => {
    latencies.push(performance.now() - from)
    if ((status >= 200 && status < 300) || status === 304) return
    if (failures++ === 0) firstFailure = answer.toString('utf8').slice(0, 2000)
  }
  const before = process.cpuUsage()
  const started = performance.now()
  const deadline = started + load.seconds * 1000
  if (load.rate === undefined)
    await Promise.all(connections.map((connection) => closed(connection, next, deadline, note)))
  else await open(connections, next, load.rate, started, deadline, note)
  const elapsed = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(before)
  for (const connection of connections) connection.close()
  const sorted = Float64Array.from(latencies).toSorted()
  return {
    done: latencies.length,
    seconds: elapsed,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    failures,
    firstFailure,
    clientMicroseconds: (user + system) / latencies.length,
  }
}

type Note = (status: number, answer: Buffer, from: number) => void

function closed(connection: Connection, next: () => string | undefined, deadline: number, note: Note): Promise<void> {
  return new Promise((resolve) => {
    const ask = () => {
      const from = performance.now()
      const request = from < deadline ? next() : undefined
      if (request === undefined) return resolve()
      connection.ask(request, (status, answer) => {
        note(status, answer, from)
        if (status === 0) resolve()
        else ask()
      })
    }
    ask()
  })
}

/** Arrivals at a fixed rate; a request that finds no connection free waits, and its wait counts. */
async function open(
  connections: readonly Connection[],
  next: () => string | undefined,
  rate: number,
  started: number,
  deadline: number,
  note: Note,
): Promise<void> {
  const free = [...connections]
  const due: number[] = []
  const serve = () => {
    while (due.length > 0 && free.length > 0) {
      const from = due.shift()!
      const request = next()
      if (request === undefined) return
      const connection = free.pop()!
      connection.ask(request, (status, answer) => {
        note(status, answer, from)
        free.push(connection)
        serve()
      })
    }
  }
  let arrived = 0
  for (let now = started; now < deadline; now = performance.now()) {
    for (; started + (arrived * 1000) / rate <= now; arrived++) due.push(started + (arrived * 1000) / rate)
    serve()
    await delay(1)
  }
  for (let i = 0; i < 2000 && (free.length < connections.length || due.length > 0); i++) await delay(5)
}

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send!(result),
    (error: unknown) => process.send!({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
