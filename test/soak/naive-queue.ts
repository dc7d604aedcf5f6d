import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { listenBelow } from '../faults/proxy.ts'

const ATTEMPTS = 100

/**
 * The control of the run with too many people: a server as one would at first write it, with a connection for each request
 * and the next number as the highest one and one, tried again when somebody was quicker. The more come, the less is done.
 */
export async function naiveQueue(url: string) {
  const setUp = new pg.Client({ connectionString: url })
  await setUp.connect()
  await setUp.query('create table naive_queue (n integer primary key, is_called boolean not null default false)')
  await setUp.end()

  async function alone(work: (client: pg.Client) => Promise<number | null>): Promise<number | null> {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('begin isolation level serializable')
      const result = await work(client)
      await client.query('commit')
      return result
    } finally {
      await client.end().catch(() => {})
    }
  }
  async function insistently(work: (client: pg.Client) => Promise<number | null>): Promise<number | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await alone(work)
      } catch (error) {
        if (attempt === ATTEMPTS) throw error
        await sleep(5)
      }
    }
  }
  const take = async (client: pg.Client) => {
    const { rows } = await client.query<{ n: number }>('select coalesce(max(n), 0) + 1 as n from naive_queue')
    await client.query('insert into naive_queue (n) values ($1)', [rows[0]!.n])
    return rows[0]!.n
  }
  const call = async (client: pg.Client) => {
    const { rows } = await client.query<{ n: number }>('select min(n) as n from naive_queue where not is_called')
    await client.query('update naive_queue set is_called = true where n = $1', [rows[0]!.n])
    return rows[0]!.n
  }
  const answer = (response: ServerResponse, status: number, body: string) =>
    response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body)
  const http = createServer(async (request, response) => {
    request.resume()
    const isCall = request.url!.endsWith('/call-next/')
    try {
      const n = await insistently(isCall ? call : take)
      answer(response, isCall ? 200 : 201, JSON.stringify(isCall ? { ticket: null } : { id: n }))
    } catch {
      answer(response, 500, '{}')
    }
  })
  const port = await listenBelow(http)
  return {
    port,
    async close() {
      http.close()
      http.closeAllConnections()
      await once(http, 'close').catch(() => {})
    },
  }
}
