import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { keep } from '../kernel/mail/index.ts'
import { createSuperuser } from '../modules/authentication/index.ts'
import { quickHash } from '../test/password.ts'
import { startApp, type TestApp } from '../test/app.ts'

const HOST = 'queue.example.org'
const production = {
  NODE_ENV: 'production',
  ALLOWED_HOSTS: HOST,
  SECURE_SSL_REDIRECT: 'false',
  SECRET_KEY: randomBytes(48).toString('base64url'),
}
const [development, closed, allowed] = [
  await startApp(),
  await startApp(production),
  await startApp({ ...production, OUTBOX_PAGE: 'true' }),
]
const open = ({ app }: TestApp, lang = 'fr', headers: Record<string, string> = {}) =>
  app.inject({ url: `/dev/outbox?lang=${lang}`, headers: { host: HOST, ...headers } })

test.each([
  ['fr', 'Boîte d’envoi', 'Rien', 'Votre tour : http://localhost:8000/t/1-abc'],
  ['en', 'Outbox', 'Nothing', 'Your turn: http://localhost:8000/t/1-abc'],
  ['ar', 'صندوق الصادر', '', 'حان دورك: http://localhost:8000/t/1-abc'],
])('in development it shows in %s what would have been sent, as text', async (lang, title, nothing, text) => {
  await development.owner('delete from outbox_messages')
  const before = await open(development, lang, { host: 'localhost' })
  expect(before.body).toContain(title)
  expect(before.body).toContain(nothing)
  await keep(development.db, { to: '+33612345678', subject: '<b>Tour</b>', text }, 'whatsapp')
  const { statusCode, body } = await open(development, lang, { host: 'localhost' })
  expect(statusCode).toBe(200)
  for (const part of ['whatsapp', '+33612345678', text.split('http')[0]!, '&lt;b&gt;Tour']) expect(body).toContain(part)
  expect(body).toContain('<a href="http://localhost:8000/t/1-abc"')
  expect(body).not.toContain('<b>Tour')
  expect(body).toContain(`<html lang="${lang}"`)
})

test('in production there is none, and where it is allowed the operator alone sees it', async () => {
  expect((await open(closed)).statusCode).toBe(404)
  expect((await open(allowed)).statusCode).toBe(404)
  const bank = await allowed.aTenant()
  const password = 'correct horse battery staple'
  await allowed.owner('update users set password_hash = $1', [quickHash(password)])
  const cookieOf = async (email: string, more: object = {}) => {
    const answer = await allowed.app.inject({
      method: 'POST',
      url: '/api/v1/auth/session/',
      headers: { host: HOST, origin: `https://${HOST}` },
      payload: { email, password, ...more },
    })
    return String(answer.headers['set-cookie']).split(';')[0]!
  }
  const admin = await cookieOf(`admin1@${bank.tenant.slug}.example`, { tenant: bank.tenant.slug })
  expect((await open(allowed, 'fr', { cookie: admin })).statusCode).toBe(404)
  await createSuperuser(allowed.db, { email: 'root@example.org', name: 'Root', password })
  const operator = await cookieOf('root@example.org')
  expect((await open(allowed, 'fr', { cookie: operator })).statusCode).toBe(200)
})
