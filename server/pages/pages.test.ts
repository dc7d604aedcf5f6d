import { expect, test } from 'vitest'
import { startApp } from '../test/app.ts'
import { displayLink } from '../modules/displays/index.ts'

const { app, owner, aTenant } = await startApp()
const t = await aTenant({ slug: 'demo', queues: 2 })
const [{ id: displayId }] = (await owner<{ id: number }>(
  `insert into displays (tenant_id, site_id, name) values ($1, $2, 'Hall') returning id`,
  [t.tenant.id, t.sites[0]!.id],
)) as [{ id: number }]
await owner(`update services set names = '{"ar": "خدمة", "en": "<b>Cash & co</b>"}' where tenant_id = $1`, [
  t.tenant.id,
])
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const site = '/site/demo/site-1'

test.each([
  ['fr', 'ltr', 'Choisissez un service'],
  ['en', 'ltr', 'Choose a service'],
  ['ar', 'rtl', 'خدمة'],
])('a site offers its services in %s', async (lang, dir, text) => {
  const page = await app.inject(`${site}?lang=${lang}`)
  expect(page.statusCode).toBe(200)
  expect(page.body).toContain(`<html lang="${lang}" dir="${dir}"`)
  expect(page.body).toContain(text)
  const byHeader = await app.inject({ url: site, headers: { 'accept-language': lang } })
  expect(byHeader.headers['content-language']).toBe(lang)
})

test('what people wrote is text, and nothing inline runs', async () => {
  const page = await app.inject(`${site}?lang=en`)
  expect(page.body).toMatch(/&lt;b(>|&gt;)Cash &amp; co&lt;/)
  expect(page.body).not.toContain('<b>Cash')
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'self';.*frame-ancestors 'none'/)
  expect(page.headers['content-security-policy']).not.toContain('unsafe')
  expect(page.body).not.toMatch(/<script(?![^>]*(src=|type="application\/json"))|\son\w+=|style=/)
})

test('a number is taken without scripts, once however often the button is pressed', async () => {
  const page = await app.inject(site)
  const key = /name="key" value="([^"]+)"/.exec(page.body)![1]!
  const payload = new URLSearchParams({ key, queue_id: String(t.queues[0]!.id) }).toString()
  const press = () => app.inject({ method: 'POST', url: `${site}?lang=en`, headers: form, payload })
  const [first, again] = [await press(), await press()]
  expect(first.statusCode).toBe(303)
  expect(again.headers['location']).toBe(first.headers['location'])
  const ticket = await app.inject({ url: String(first.headers['location']), headers: { accept: 'text/html' } })
  expect(ticket.body).toContain('A-001')
  expect(ticket.headers['cache-control']).toBe('no-store')
})

test('a refusal is shown on the page, in its language', async () => {
  const payload = 'key=refused&queue_id=999999'
  const page = await app.inject({ method: 'POST', url: `${site}?lang=fr`, headers: form, payload })
  expect(page.statusCode).toBe(404)
  expect(page.body).toContain('Rien ici : cette adresse ou cet identifiant n’existe pas.')
})

test('a page of another site cannot take numbers', async () => {
  const headers = { ...form, 'sec-fetch-site': 'cross-site' }
  const answer = await app.inject({ method: 'POST', url: site, headers, payload: 'queue_id=1' })
  expect(answer.json()).toMatchObject({ status: 403, code: 'origin_not_allowed' })
})

test('a display opens with its own link only, and reads with a token for displays', async () => {
  const link = displayLink(t.tenant, displayId)
  const page = await app.inject(link)
  expect([page.statusCode, page.body.includes('data-density="wall"')]).toEqual([200, true])
  const { access } = (await app.inject(link.replace('?', '/access?'))).json<{ access: string }>()
  const headers = { authorization: `Bearer ${access}` }
  expect((await app.inject({ url: `/api/v1/displays/${displayId}/board/`, headers })).statusCode).toBe(200)
  expect((await app.inject({ url: '/api/v1/tickets/', headers })).statusCode).toBe(403)

  const other = await aTenant()
  for (const wrong of [
    `/display/demo/${displayId}`,
    link.slice(0, -1),
    link.replace(`/${displayId}?`, `/${displayId + 1}?`),
    link.replace('/demo/', `/${other.tenant.slug}/`),
  ])
    expect((await app.inject(wrong)).statusCode, wrong).toBe(401)
})

test.each(['reset-password', 'invitation', 'confirm-email'])(
  '%s opens in every language and acts on nothing',
  async (name) => {
    const before = await owner('select count(*) from used_tokens')
    for (const [lang, dir] of [
      ['fr', 'ltr'],
      ['en', 'ltr'],
      ['ar', 'rtl'],
    ]) {
      const answer = await app.inject(`/app/${name}?lang=${lang}`)
      expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store'])
      expect(answer.body).toContain(`<html lang="${lang}" dir="${dir}"`)
      expect(answer.body).not.toMatch(/page\.\w+</)
      expect(answer.headers['content-security-policy']).toMatch(/script-src 'nonce-.*form-action 'self'/)
      expect(answer.body).not.toMatch(/<script(?![^>]*(src=|type="application\/json"))|\son\w+=|style=/)
      expect(answer.body).not.toContain('method="get"')
    }
    expect(await owner('select count(*) from used_tokens')).toEqual(before)
  },
)

test('browsers are refused with a page, programs with a problem', async () => {
  const url = '/site/demo/nowhere'
  const page = await app.inject({ url, headers: { accept: 'text/html', 'accept-language': 'en' } })
  expect([page.statusCode, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
  expect(page.body).toContain('Page not found')
  expect((await app.inject(url)).headers['content-type']).toContain('application/problem+json')
})

test('every module a page needs is served as JavaScript, down to the last import', async () => {
  const pending = ['/assets/pages/account.js']
  const seen = new Set<string>()
  for (let url; (url = pending.pop());) {
    if (seen.has(url)) continue
    seen.add(url)
    const module = await app.inject(url)
    expect([module.statusCode, module.headers['content-type']], url).toEqual([200, 'text/javascript; charset=utf-8'])
    expect(module.body).not.toMatch(/\bimport type\b|^(export )?interface /m)
    for (const [, target] of module.body.matchAll(/from '([^']+)'/g))
      pending.push(new URL(target!, `http://x${url}`).pathname)
  }
  expect([...seen]).toContain('/assets/shared/format.js')
  const known = String((await app.inject('/assets/pages.css')).headers['etag'])
  expect((await app.inject({ url: '/assets/pages.css', headers: { 'if-none-match': known } })).statusCode).toBe(304)
  for (const outside of ['/assets/shared/..%2fpackage.js', '/assets/shared/nothing.js', '/assets/pages/%2e%2e/html.js'])
    expect((await app.inject(outside)).statusCode, outside).toBe(404)
})
