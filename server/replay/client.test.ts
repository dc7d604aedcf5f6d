import { expect, test } from 'vitest'
import { ApiClient } from './client.ts'
import { startControlServer } from './control-server.ts'

const login = { tenant: 'control', email: 'a', password: 'b' }

test('a server that never answered is reported at once', async () => {
  const server = await startControlServer()
  await server.stop()
  await expect(new ApiClient({ ...login, baseUrl: server.baseUrl }).get('test', '/queues/')).rejects.toThrow(
    `${server.baseUrl} cannot be reached`,
  )
})

test('a server that restarts is waited for, and the request is sent again', async () => {
  const server = await startControlServer()
  const client = new ApiClient({ ...login, baseUrl: server.baseUrl })
  await client.get('test', '/queues/')
  await server.stop()
  const answer = client.get<{ results: unknown[] }>('test', '/queues/')
  while (client.retries === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const back = await startControlServer({}, Number(new URL(server.baseUrl).port))
  expect(await answer).toMatchObject({ results: [] })
  await back.stop()
})
