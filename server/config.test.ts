import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'

const directory = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(directory, { recursive: true }))

const safe = {
  NODE_ENV: 'production',
  SECRET_KEY: 'k7Vt2mQx9LwR4bZs8HcN3fYp6JdG5aTeUuXo',
  DATABASE_URL: 'postgres://app@db/smartqueue',
  ALLOWED_HOSTS: 'queue.example.org',
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment, directory)
    return []
  } catch (error) {
    return (error as ConfigError).problems
  }
}

test('development needs no setting and keeps one private secret', () => {
  const config = loadConfig({}, directory)
  expect(config).toMatchObject({ debug: true, port: 8000, dataDir: join(directory, '.smartqueue') })
  expect(config.databaseUrl).toBeUndefined()
  expect(config.secretKey.length).toBeGreaterThanOrEqual(32)
  expect(loadConfig({}, directory).secretKey).toBe(config.secretKey)
  const file = join(directory, '.smartqueue/secret')
  expect(readFileSync(file, 'utf8')).toBe(config.secretKey)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(Object.isFrozen(config)).toBe(true)
})

test('the environment wins over .env, an empty variable is absent', () => {
  writeFileSync(join(directory, '.env'), 'PORT=8100\nLOG_LEVEL=debug\nHOST="0.0.0.0"\n')
  const config = loadConfig({ PORT: '8200', LOG_LEVEL: 'warn' }, directory)
  expect(config).toMatchObject({ port: 8200, logLevel: 'warn', host: '0.0.0.0' })
  expect(loadConfig({ PORT: '' }, directory).port).toBe(8000)
  rmSync(join(directory, '.env'))
})

test('production starts with safe settings', () => {
  expect(problemsOf(safe)).toEqual([])
  const config = loadConfig(safe, directory)
  expect(config).toMatchObject({ debug: false, secureSslRedirect: true, publicUrl: 'https://queue.example.org' })
})

test('production refuses everything unsafe at once', () => {
  const problems = problemsOf({ DEBUG: 'false', ALLOWED_HOSTS: '', CORS_ALLOWED_ORIGINS: '*' }).join('\n')
  for (const name of ['SECRET_KEY', 'DATABASE_URL', 'ALLOWED_HOSTS', 'CORS_ALLOWED_ORIGINS'])
    expect(problems).toContain(name)
})

test.each([
  [{ SECRET_KEY: 'short' }, 'SECRET_KEY is too short'],
  [{ SECRET_KEY: 'a'.repeat(64) }, 'SECRET_KEY is guessable'],
  [{ SECRET_KEY: 'please-change-me-please-change-me-1234' }, 'SECRET_KEY is guessable'],
  [{ SECRET_KEY_FALLBACKS: 'old' }, 'SECRET_KEY_FALLBACKS'],
  [{ PUBLIC_URL: 'http://queue.example.org' }, 'PUBLIC_URL must be an https address'],
  [{ ALLOWED_HOSTS: '*' }, 'ALLOWED_HOSTS must not be *'],
  [{ DEBUG: 'true' }, 'DEBUG must be off'],
  [{ DEBUG: 'perhaps' }, 'DEBUG must be true or false'],
  [{ PORT: '99999' }, 'PORT must be a whole number'],
  [{ DATABASE_URL: 'mysql://user:hunter2@db/x' }, 'DATABASE_URL must be a URL'],
  [{ TWILIO_ACCOUNT_SID: 'AC1' }, 'go together'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of'],
])('production refuses %o', (change, message) => {
  const problems = problemsOf({ ...safe, ...change }).join('\n')
  expect(problems).toContain(message)
  expect(problems).not.toContain('hunter2')
})

test('every setting is in docs/settings.md, and nothing else', () => {
  const source = readFileSync(new URL('config.ts', import.meta.url), 'utf8')
  const read = [...source.matchAll(/read\.\w+\(([^)]*)/g)].flatMap(
    ([, given]) => given!.match(/'[A-Z][A-Z0-9_]+'/g) ?? [],
  )
  const names = new Set(read.map((name) => name.slice(1, -1)))
  names.add('NODE_ENV')
  const page = readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map(([, name]) => name!)
  expect(listed.toSorted()).toEqual([...names].toSorted())
})
