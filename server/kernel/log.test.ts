import { expect, test } from 'vitest'
import { createLogger, mask } from './log.ts'

function logged(write: (log: ReturnType<typeof createLogger>) => void): {
  line: Record<string, unknown>
  text: string
} {
  const lines: string[] = []
  write(createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }))
  return { line: JSON.parse(lines[0]!), text: lines.join('') }
}

test('a line keeps the allowed fields and drops every other', () => {
  const { line } = logged((log) =>
    log.info({ tenant_id: 3, count: 2, phone: '+33612345678', authorization: 'x' }, 'sent'),
  )
  expect(line).toEqual({ level: 'info', time: expect.any(String), tenant_id: 3, count: 2, msg: 'sent' })
})

test('the fields of a child logger are judged too', () => {
  const { line } = logged((log) => log.child({ request_id: 'r1', cookie: 'secret' }).info('done'))
  expect(line).toMatchObject({ request_id: 'r1', msg: 'done' })
  expect(line).not.toHaveProperty('cookie')
})

test('a request is told by its route', () => {
  const req = {
    method: 'GET',
    url: '/t/9aZk3LmQ0pXw7RtY2bNc5D',
    routeOptions: { url: '/t/:token' },
    headers: { authorization: 'Bearer abc' },
  }
  const { line, text } = logged((log) => log.info({ req }, 'request'))
  expect(line.req).toEqual({ method: 'GET', route: '/t/:token' })
  expect(text).not.toContain('9aZk3LmQ0pXw7RtY2bNc5D')
})

test('an error is told with its cause, without the values of the row', () => {
  const cause = Object.assign(new Error('duplicate key of +33 6 12 34 56 78'), {
    code: '23505',
    detail: 'Key (phone)=(0612345678)',
  })
  const { line, text } = logged((log) => log.error({ err: new Error('take failed', { cause }) }, 'failed'))
  expect(line.err).toMatchObject({
    message: 'take failed',
    cause: { code: '23505', message: 'duplicate key of [phone …78]' },
  })
  expect(text).not.toMatch(/0612345678|12 34 56/)
})

test.each([
  ['Authorization: Bearer abc.def-1', 'Authorization: Bearer [token]'],
  ['eyJhbGciOi.eyJzdWIi.c2ln is invalid', '[token] is invalid'],
  ['postgres://app:hunter2@db/x', 'postgres://[credentials]@db/x'],
  ['token 9aZk3LmQ0pXw7RtY2bNc5D refused', 'token [token] refused'],
  ['key sk_live_1Zk3LmQ0pXw7RtY2bNc5D9aZk3LmQ0pX of sd_1Zk3LmQ0pXw7RtY2bNc5D', 'key [token] of [token]'],
  ['to amina@example.org', 'to [email]'],
  ['to +213 550 12 34 56', 'to [phone …56]'],
  ['to 0612345678', 'to [phone …78]'],
  ['ticket A042 of queue 12 after 35 s on 2026-11-22', 'ticket A042 of queue 12 after 35 s on 2026-11-22'],
])('%s is written as %s', (text, masked) => {
  expect(mask(text)).toBe(masked)
})
