import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectDirect } from '../../server/kernel/db/index.ts'

/**
 * A server as one is written in an afternoon: it trusts its input, tells its mistakes to whoever asks, and forgets whose
 * rows they are. What looks for faults must find these.
 */
export async function startNaiveServer(
  rows: readonly string[],
  ids: ReadonlySet<number> = new Set(),
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      try {
        const named = [...`${request.url} ${body}`.matchAll(/\d+/g)].some(([digits]) => ids.has(Number(digits)))
        if (named) {
          response.statusCode = 403
          return response.end('{"message": "not yours"}')
        }
        const input = body === '' ? {} : (JSON.parse(body) as Record<string, string>)
        for (const value of Object.values(input)) value.trim()
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ results: rows }))
      } catch (error) {
        response.statusCode = body.startsWith('{') ? 500 : 400
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ message: (error as Error).stack }))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** A list whose filter and order stand in the statement as they came. */
export async function startInjectableServer(directUrl: string): Promise<{ port: number; close(): Promise<void> }> {
  const database = await connectDirect(directUrl)
  const server = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    const [q, ordering] = [searchParams.get('q') ?? '', searchParams.get('ordering') ?? 'name']
    try {
      const rows = await database.query(
        `select id, name from customers where name ilike '%${q}%' order by ${ordering} limit 20`,
        [],
      )
      response.end(JSON.stringify(rows))
    } catch (error) {
      response.statusCode = 500
      response.end(String(error))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await database.close()
    },
  }
}
