import { afterEach, beforeEach, expect, test } from 'vitest'
import { loopback } from '../../../test/providers/loopback.ts'
import { whenOver } from '../../test/when-over.ts'
import { createLogger } from '../log.ts'
import { reported, targetOf, useReporting } from './index.ts'

const got: { path: string; headers: Record<string, unknown>; lines: any[] }[] = []
const tracker = await loopback({
  accept({ url, headers }, body) {
    got.push({
      path: url!,
      headers,
      lines: body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    })
    return { status: 200, body: '{}' }
  },
})
whenOver(() => tracker.close())
const place = { release: 'smartqueue@1.2.3', environment: 'test' }
const dsn = () => `${tracker.url.replace('://', '://publickey@')}/prefix/42`
const log = createLogger({ level: 'info', destination: { write: () => {} } })
beforeEach(() => {
  got.length = 0
  tracker.outage = null
  useReporting(dsn(), place)
})
afterEach(() => useReporting(undefined, place))

test('an error of the log arrives as an envelope that Sentry takes, with the request it came from', async () => {
  const err = new TypeError('cannot read it', { cause: new Error('the first reason') })
  log.child({ request_id: 'request-1' }).error({ err, tenant_id: 3, operation: 'tickets.take' }, 'request failed')
  await reported()
  expect(got).toHaveLength(1)
  const { path, headers, lines } = got[0]!
  expect(path).toBe('/prefix/api/42/envelope/')
  expect(headers['content-type']).toBe('application/x-sentry-envelope')
  expect(headers['x-sentry-auth']).toBe('Sentry sentry_version=7, sentry_client=smartqueue/1.2.3, sentry_key=publickey')
  const [envelope, item, event] = lines
  expect(envelope.event_id).toMatch(/^[0-9a-f]{32}$/)
  expect(item).toEqual({ type: 'event' })
  expect(event).toMatchObject({
    event_id: envelope.event_id,
    platform: 'node',
    level: 'error',
    release: 'smartqueue@1.2.3',
    environment: 'test',
    transaction: 'tickets.take',
    message: { formatted: 'request failed' },
    tags: { request_id: 'request-1', tenant_id: '3', operation: 'tickets.take' },
  })
  const [cause, outer] = event.exception.values
  expect([cause.value, outer.type, outer.value]).toEqual(['the first reason', 'TypeError', 'cannot read it'])
  expect(outer.stacktrace.frames.at(-1)).toMatchObject({
    filename: 'server/kernel/reporting/reporting.test.ts',
    in_app: true,
  })
})

const CANARY = ['Samira Haddad', 'samira@example.org', '+33 6 12 34 56 78', 'sk_live_0123456789abcdefghijklmn']
test('no personal data leaves: neither values that errors quote nor addresses, numbers and tokens in sentences', async () => {
  const [name, email, phone, token] = CANARY as [string, string, string, string]
  const database = Object.assign(new Error(`invalid input syntax for type bigint: ${name}`), {
    code: '22P02',
    constraint: 'tickets_check',
    detail: `Failing row contains (${CANARY.join()}).`,
  })
  log.error({ err: database, user_agent: name, customer: { name } }, `could not tell ${email} at ${phone}`)
  log.error({ err: new Error(`Unexpected token 'S', "${name}" is not valid JSON, with ${token}`) }, 'unreadable')
  log.error(new Error(`nobody called “${name}”`), `for '${name}'`)
  await reported()
  expect(got).toHaveLength(3)
  const text = JSON.stringify(got)
  for (const secret of [...CANARY, 'Samira', 'Haddad']) expect(text).not.toContain(secret)
  expect(got[0]!.lines[2].exception.values[0].value).toBe('22P02 tickets_check')
})

test('the control: the same sentences unmasked hold what must not leave', () => {
  expect(JSON.stringify(new Error(CANARY.join()).message)).toContain('Samira')
})

test('what repeats is told a few times, and warnings never', async () => {
  for (let i = 0; i < 100; i++) log.error({ err: new Error('the same') }, 'request failed')
  log.warn({ err: new Error('harmless') }, 'not noted')
  await reported()
  expect(got).toHaveLength(5)
})

test('a tracker that is away fails nobody, and without a DSN nothing is sent', async () => {
  tracker.outage = 'busy'
  log.fatal({ err: new Error('over') }, 'stopping')
  await reported()
  tracker.outage = null
  useReporting(undefined, place)
  log.error({ err: new Error('unheard') }, 'request failed')
  await reported()
  expect(got).toEqual([])
})

test('a DSN without a key or a project is none', () => {
  expect(targetOf('https://key@errors.example.org/7').url).toBe('https://errors.example.org/api/7/envelope/')
  for (const wrong of ['https://errors.example.org/7', 'https://key@errors.example.org/project'])
    expect(() => targetOf(wrong)).toThrow('no public key or no project')
})
