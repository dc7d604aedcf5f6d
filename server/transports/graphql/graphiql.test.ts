import { describe, expect, test } from 'vitest'
import { startApp } from '../../test/app.ts'
import { hasBrowser, startBrowser } from '../../test/browser.ts'
import { quickHash } from '../../test/password.ts'

const development = await startApp()
const PRODUCTION = {
  NODE_ENV: 'production',
  ALLOWED_HOSTS: 'app.example.org',
  SECURE_SSL_REDIRECT: 'false',
}

test('production has neither the page nor what it loads', async () => {
  const production = await startApp(PRODUCTION)
  for (const url of ['/graphiql', '/graphiql/', '/graphiql/static/ruru.js']) {
    const answer = await production.app.inject({ url, headers: { host: 'app.example.org', accept: 'text/html' } })
    expect([url, answer.statusCode]).toEqual([url, 404])
  }
  // The control: the same request where it is served.
  expect((await development.app.inject({ url: '/graphiql' })).statusCode).toBe(200)
})

test('the page has a policy of its own and names nobody else’s server', async () => {
  const { headers, body } = await development.app.inject({ url: '/graphiql' })
  expect(headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-.*frame-ancestors 'none'/)
  expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe|https?:|\*/)
  expect(body).not.toMatch(/(src|href)="(https?:)?\/\//)
  const nothing = await development.app.inject({ url: '/graphiql/static/../../package.json' })
  expect(nothing.statusCode).toBe(404)
  expect((await development.app.inject({ url: '/graphiql/static/nothing.js' })).statusCode).toBe(404)
})

describe.skipIf(!hasBrowser)('in a browser', async () => {
  const base = await development.listen()
  test('the page loads from here alone and runs a query as its headers say', async () => {
    const { aTenant, as } = development
    const t = await aTenant({ slug: 'bank', queues: 2 })
    const browser = await startBrowser()
    const page = await browser.newPage()
    const elsewhere: string[] = []
    const errors: string[] = []
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(base) && !/^(data|blob):/.test(url)) elsewhere.push(url)
    })
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      if (/Content Security Policy|Failed to load/.test(message.text())) errors.push(message.text())
    })
    const parameters = { query: '{ queues { nodes { id } } }', headers: JSON.stringify(as(t.admin)) }
    await page.addInitScript(({ query, headers }) => {
      localStorage.setItem('graphiql:query', query)
      localStorage.setItem('graphiql:headers', headers)
      localStorage.setItem('graphiql:shouldPersistHeaders', 'true')
    }, parameters)
    await page.goto(`${base}/graphiql`)
    await page.waitForSelector('.graphiql-execute-button')
    await page.click('.graphiql-execute-button')
    await expect.poll(() => page.textContent('.result-window')).toContain(`"${t.queues[0]!.id}"`)
    expect(elsewhere).toEqual([])
    expect(errors).toEqual([])
  })

  test('whoever is signed in at the console asks as themselves', async () => {
    const { aTenant, owner } = development
    const t = await aTenant({ slug: 'clinic', queues: 2 })
    await owner('update users set password_hash = $1', [quickHash('trois petits chats')])
    const context = await (await startBrowser()).newContext()
    const login = { email: 'admin1@clinic.example', password: 'trois petits chats', tenant: 'clinic' }
    expect((await context.request.post(`${base}/api/v1/auth/session/`, { data: login })).status()).toBe(200)
    await context.addInitScript(() => localStorage.setItem('graphiql:query', '{ queues { nodes { id } } }'))
    const page = await context.newPage()
    await page.goto(`${base}/graphiql`)
    await page.click('.graphiql-execute-button')
    await expect.poll(() => page.textContent('.result-window')).toContain(`"${t.queues[0]!.id}"`)
  })
})
