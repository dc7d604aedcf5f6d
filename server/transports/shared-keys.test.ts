import { afterAll, expect, test } from 'vitest'
import { isCacheKey } from '../kernel/cache/key.ts'
import { operationById } from '../modules/index.ts'
import { startApp } from '../test/app.ts'
import { startRedis } from '../test/redis.ts'

const PREFIX = 'smartqueue:cache:'
const redis = await startRedis()
afterAll(() => redis?.close())

/** Parts that may be the same for all, by kind, and why. Every other part is named. */
const SAME_FOR_ALL: Record<string, string[]> = {
  // Requests are placed by it before anybody is known.
  tenant: ['tenant', 'reader', 'language'],
  // The hash of a secret is one person in one place, whose language is part of the value.
  'console-session': ['tenant', 'language'],
  'opaque-token': ['language'],
  answer: [],
}
/** What a key leaves open without leave. */
function gaps(key: string): string[] {
  if (!isCacheKey(key)) return [`not a key: ${key}`]
  const [kind, tenant, reader, language] = key.split('|')
  const what = kind!.split('@')[0]!
  const open = Object.entries({ tenant, reader, language }).filter(([, value]) => value === '*')
  return open.flatMap(([part]) => (SAME_FOR_ALL[what]?.includes(part) ? [] : [`${part} of ${what}`]))
}

test.skipIf(!redis)('whatever lies in Redis says tenant, kind of reader and language', async () => {
  const server = await startApp({ REDIS_URL: redis!.url })
  const link = redis!.link()
  await link.ready(5000)
  const [bank, clinic] = [await server.aTenant({ slug: 'bank' }), await server.aTenant({ slug: 'clinic' })]
  const create = operationById.get('api-keys.create')!
  for (const { tenant, admin, queues, supervisor } of [bank, clinic]) {
    const actor = { ...admin, provenAt: Math.floor(Date.now() / 1000) }
    const input = { name: 'till', scopes: ['read:queue', 'read:ticket'] }
    const made = await server.runtime.execute(create, { actor, tenant, locale: 'fr', input })
    const { key } = made.output as { key: string }
    const id = queues[0]!.id
    const tails = [0, queues[0]!.site_id].map((site) => server.hub.tail(tenant.id, site))
    await Promise.all(tails)
    for (const path of [`queues/${id}/board/`, `queues/${id}/stats/`, `tickets/?queue=${id}`])
      for (const headers of [server.as(admin), server.as(supervisor), { authorization: `Bearer ${key}` }])
        for (const language of ['fr', 'ar']) {
          const url = `/api/v1/tenants/${tenant.slug}/${path}`
          const answer = await server.app.inject({ url, headers: { ...headers, 'accept-language': language } })
          expect([url, answer.statusCode]).toEqual([url, 200])
        }
  }
  const keys = (await link.commands.keys(`${PREFIX}*`)).map((key) => key.slice(PREFIX.length).replace(/:claim$/, ''))
  const kinds = new Set(keys.map((key) => key.split('@')[0]))
  expect([...kinds].toSorted()).toEqual(['answer', 'opaque-token', 'tenant'])
  expect(keys.flatMap(gaps)).toEqual([])
  const answers = keys.filter((key) => key.startsWith('answer@')).map((key) => key.split('|'))
  expect(new Set(answers.map(([, tenant]) => tenant))).toEqual(
    new Set([bank, clinic].map(({ tenant }) => `${tenant.id}`)),
  )
  expect(new Set(answers.map(([, , reader]) => (JSON.parse(reader!) as string[])[0]))).toEqual(
    new Set(['admin', 'supervisor', 'api_key']),
  )
  expect(new Set(answers.map(([, , , language]) => language))).toEqual(new Set(['fr', 'ar']))
  // Control: keys that leave something out, or open, are found.
  for (const lacking of [
    'answer@1|7|["admin"]|{}',
    'answer@1|7|["admin"]|*|{}',
    'answer@1|*|["admin"]|fr|{}',
    'page@1|7|*|fr|x',
  ])
    expect(gaps(lacking), lacking).not.toEqual([])
})
