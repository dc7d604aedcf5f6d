import { beforeAll, describe, expect, test } from 'vitest'
import { translate } from '../../kernel/i18n.ts'
import type { Locale } from '../../kernel/schema.ts'
import { startApp } from '../../test/app.ts'
import { quickHash } from '../../test/password.ts'

const server = await startApp()
const { app, owner } = server
await server.aTenant({ slug: 'bank', agents: 3, locale: 'ar' })
const password = 'trois petits chats'
const ORIGIN = 'http://localhost:8000'
const MISSING = '/api/v1/tenants/bank/tickets/999999/'
const sentence = (locale: Locale) => translate(locale, 'errors.not_found')

beforeAll(async () => {
  await owner('update users set password_hash = $1', [quickHash(password)])
  await owner(`update users set locale = 'en' where email = 'agent2@bank.example'`)
})
const email = (agent: number) => `agent${agent}@bank.example`
const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, payload, headers: { host: 'localhost:8000', ...headers } })
const access = async (agent: number) =>
  (await post('/api/v1/auth/token/', { email: email(agent), password })).json<{ access: string }>().access

/** What a refusal of each transport says, for a person who signed in. */
const ASKED: Record<string, (agent: number, accepted: string | undefined, query: string) => Promise<string>> = {
  async REST(agent, accepted, query) {
    const headers = { authorization: `Bearer ${await access(agent)}`, ...(accepted && { 'accept-language': accepted }) }
    return (await app.inject({ url: MISSING + query, headers })).json().detail
  },
  async GraphQL(agent, accepted, query) {
    const headers = { authorization: `Bearer ${await access(agent)}`, ...(accepted && { 'accept-language': accepted }) }
    const mutation = 'mutation { callTicket(input: {id: 999999}) { id } }'
    return (await post(`/graphql${query}`, { query: mutation }, headers)).json().errors[0].message
  },
  async console(agent, accepted, query) {
    const opened = await post('/api/v1/auth/session/', { email: email(agent), password })
    const cookie = String(opened.headers['set-cookie']).split(';')[0]!
    const headers = { host: 'localhost:8000', origin: ORIGIN, cookie, ...(accepted && { 'accept-language': accepted }) }
    return (await app.inject({ url: MISSING + query, headers })).json().detail
  },
}

describe.each(Object.keys(ASKED))('%s answers', (transport) => {
  const ask = ASKED[transport]!
  test('in the language the person has set, whatever the browser asks for', async () => {
    expect(await ask(2, 'fr', '')).toBe(sentence('en'))
  })
  test('in the browser’s where the person has set none, and in the organisation’s where it says nothing', async () => {
    expect(await ask(1, 'fr', '')).toBe(sentence('fr'))
    expect(await ask(1, undefined, '')).toBe(sentence('ar'))
  })
  test('in the language of ?lang= before all', async () => {
    expect(await ask(2, 'ar', '?lang=fr')).toBe(sentence('fr'))
    expect(await ask(1, 'ar', '?lang=en')).toBe(sentence('en'))
    expect(await ask(2, 'ar', '?lang=xx')).toBe(sentence('en'))
  })
})

test('a refused credential is answered in the browser’s language', async () => {
  const refused = await app.inject({
    url: MISSING,
    headers: { authorization: 'Bearer nothing', 'accept-language': 'ar' },
  })
  expect(refused.json().detail).toBe(translate('ar', 'errors.token_invalid'))
})

test('a session id that is no row’s is nobody’s other session, and no failure', async () => {
  const bank = await server.aTenant({ slug: 'odd', agents: 1 })
  const actor = { ...bank.admin, sessionId: 'not a uuid' }
  const headers = server.as(actor)
  const listed = await app.inject({ url: '/api/v1/auth/sessions/', headers })
  expect([listed.statusCode, listed.json()]).toEqual([200, { results: [] }])
  const statusOf = async (url: string, payload: object = {}) =>
    (await post(`/api/v1/auth${url}`, payload, headers)).statusCode
  expect(await statusOf('/sessions/revoke-others/')).toBe(200)
  expect(await statusOf('/password/', { password: 'quatre petits chats' })).toBe(204)
  expect(await statusOf('/session/switch/', { tenant: 'odd' })).toBe(403)
  expect(await statusOf('/logout/')).toBe(204)
  expect((await app.inject({ url: '/api/v1/auth/sessions/', headers })).statusCode).toBe(401)
})
