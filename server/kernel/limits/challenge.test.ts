import { hash, hkdfSync, randomUUID } from 'node:crypto'
import { createChallenge, extractParams, solveChallenge } from 'altcha-lib/v1'
import { beforeEach, describe, expect, test } from 'vitest'
import { operationById } from '../../modules/index.ts'
import { startApp } from '../../test/app.ts'
import type { TenantFixture } from '../../test/factories.ts'
import type { Challenge } from './challenge.ts'
import { useChallengeKeys } from './index.ts'

const secret = 'a key of this test that is as long as it has to be, 0123456789'
const server = await startApp({ RATE_LIMIT_FACTOR: '1', SECRET_KEY: secret })
const take = operationById.get('tickets.take')!
let place: TenantFixture
/** Each test asks from a network of its own. */
let networks = 0
let address = ''
beforeEach(async () => {
  place = await server.aTenant()
  address = `198.51.${++networks}.7`
})

const post = (headers: Record<string, string> = {}, over: object = {}, slug = place.tenant.slug) =>
  server.app.inject({
    method: 'POST',
    url: `/api/v1/public/${slug}/tickets/`,
    remoteAddress: address,
    headers,
    payload: { queue_id: place.queues[0]!.id, channel: 'web', device_id: randomUUID(), ...over },
  })
const setting = (take_challenge: string) =>
  server.app.inject({
    method: 'PATCH',
    url: `/api/v1/tenants/${place.tenant.slug}/`,
    headers: server.as(place.admin),
    payload: { take_challenge },
  })
const solutionOf = (challenge: Challenge, number: unknown) =>
  Buffer.from(JSON.stringify({ ...challenge, number })).toString('base64')
/** As a browser finds it, without a browser's detours: the protocol's own client takes a second each. */
async function solve(challenge: Challenge): Promise<string> {
  for (let number = 0; number <= challenge.maxnumber; number++)
    if (hash('sha256', challenge.salt + number) === challenge.challenge) return solutionOf(challenge, number)
  throw new Error('no solution')
}
async function solveAsClient({ challenge, salt, algorithm, maxnumber }: Challenge): Promise<number> {
  return (await solveChallenge(challenge, salt, algorithm, maxnumber).promise)!.number
}
const challengeOf = async (slug = place.tenant.slug) =>
  (await server.app.inject({ url: `/api/v1/public/${slug}/tickets/challenge/` })).json<Challenge>()
/** How many of so many telephones of one network get a ticket, and the last refusal. */
async function phones(count: number) {
  let taken = 0
  let refusal: any
  for (let n = 0; n < count; n++) {
    const answer = await post()
    if (answer.statusCode === 201) taken++
    else refusal = answer.json()
  }
  return { taken, refusal }
}

describe('automatic, which is what an organisation has', () => {
  test('sixty phones behind one address are not asked; a flood is, and each solution is one more ticket', async () => {
    expect(await phones(60)).toEqual({ taken: 60, refusal: undefined })
    const flood = await phones(140)
    expect(flood.taken).toBeGreaterThanOrEqual(60)
    // One more every five seconds, however slow this machine is.
    expect(flood.taken).toBeLessThan(140)
    expect(flood.refusal).toMatchObject({
      code: 'challenge_required',
      status: 403,
      challenge: { algorithm: 'SHA-256' },
    })
    const solved = solutionOf(flood.refusal.challenge, await solveAsClient(flood.refusal.challenge))
    expect((await post({ 'challenge-solution': solved })).statusCode).toBe(201)
    // Another network is not concerned.
    address = '203.0.113.4'
    expect((await post()).statusCode).toBe(201)
  })

  test('staff and kiosks are never asked', async () => {
    await setting('always')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const url = `/api/v1/tenants/${place.tenant.slug}/tickets/`
    const payload = { queue_id: place.queues[0]!.id, channel: 'reception' }
    const answer = await server.app.inject({ method: 'POST', url, payload, headers: server.as(place.admin) })
    expect(answer.statusCode).toBe(201)
    expect((await post()).json().code).toBe('challenge_required')
  })
})

describe('always', () => {
  let strict: TenantFixture | undefined
  beforeEach(async () => {
    if (strict) return void (place = strict)
    strict = place
    expect((await setting('always')).statusCode).toBe(200)
    // The organisation as requests know it is at most a second old.
    await expect.poll(async () => (await post()).statusCode).toBe(403)
  })
  const codeWith = async (solution: string) => {
    const answer = await post({ 'challenge-solution': solution })
    return answer.statusCode === 201 ? 'taken' : answer.json().code
  }

  test('the refusal brings the challenge, in the caller’s language, so that one more round is enough', async () => {
    const refused = await post({ 'accept-language': 'fr' })
    expect(refused.statusCode).toBe(403)
    expect(refused.json().detail).toContain('Beaucoup de tickets')
    expect(refused.headers['cache-control']).toBe('no-store')
    expect(await codeWith(await solve(refused.json().challenge))).toBe('taken')
    expect(await codeWith(await solve(await challengeOf()))).toBe('taken')
  })

  test('a repeated request with its key is given its ticket again, whatever number was found for it', async () => {
    const input = { device_id: 'the phone of somebody' }
    const key = { 'idempotency-key': randomUUID() }
    const ask = async () => post({ ...key, 'challenge-solution': await solve(await challengeOf()) }, input)
    const [first, second] = [await ask(), await ask()]
    expect([first.statusCode, second.statusCode]).toEqual([201, 201])
    expect(second.body).toBe(first.body)
    expect(second.headers['idempotent-replayed']).toBe('true')
  })

  test('an input that is wrong is said before any work is asked for, and uses no solution', async () => {
    const solution = await solve(await challengeOf())
    expect((await post({ 'challenge-solution': solution }, { channel: 'pigeon' })).statusCode).toBe(400)
    expect(await codeWith(solution)).toBe('taken')
  })

  const other = async () => (await server.aTenant()).tenant.slug
  const made = async (options: { hmacKey?: string; expires?: Date; like: Challenge }) => {
    const params = { tenant: extractParams(options.like)['tenant']! }
    const { hmacKey = 'guessed', expires = new Date(Date.now() + 60_000) } = options
    return solve((await createChallenge({ hmacKey, maxnumber: 50, expires, params })) as Challenge)
  }
  /** The key of this server, so that nothing but its end is wrong with what is made. */
  const ownKey = Buffer.from(hkdfSync('sha256', secret, '', 'take challenge', 32)).toString('hex')
  const endingIn = async (seconds: number) =>
    made({ like: await challengeOf(), hmacKey: ownKey, expires: new Date(Date.now() + seconds * 1000) })
  const REFUSED: Record<string, () => Promise<string>> = {
    'another organisation’s': async () => solve(await challengeOf(await other())),
    'signed with another key': async () => made({ like: await challengeOf() }),
    'that has expired': async () => endingIn(-2),
    'with the wrong number': async () => solutionOf(await challengeOf(), 1e9),
    'with the number as text': async () => solutionOf(await challengeOf(), '12'),
    'with its end put off': async () => {
      const challenge = await challengeOf()
      const salt = challenge.salt.replace(/expires=\d+/, 'expires=9999999999')
      return solve({ ...challenge, salt }).catch(() => solutionOf({ ...challenge, salt }, 5))
    },
    'for another organisation rewritten': async () => {
      const challenge = await challengeOf(await other())
      const salt = challenge.salt.replace(/tenant=\d+/, `tenant=${place.tenant.id}`)
      return solutionOf({ ...challenge, salt }, 5)
    },
    'with two organisations named': async () => {
      const challenge = await challengeOf(await other())
      return solutionOf({ ...challenge, salt: `${challenge.salt}tenant=${place.tenant.id}&` }, 5)
    },
    'of another algorithm': async () => solutionOf({ ...(await challengeOf()), algorithm: 'SHA-1' as 'SHA-256' }, 5),
    'with no base64': async () => '%%%',
    'that is null': async () => Buffer.from('null').toString('base64'),
    'that is too long': async () => 'A'.repeat(5000),
    'that is empty': async () => '',
  }
  test.each(Object.entries(REFUSED))('a solution %s is refused', async (_, make) => {
    expect(await codeWith(await make())).toBe('challenge_required')
  })

  test('a challenge is good for five minutes', async () => {
    const challenge = await challengeOf()
    const left = Number(extractParams(challenge)['expires']) * 1000 - Date.now()
    expect(left).toBeGreaterThan(290_000)
    expect(left).toBeLessThanOrEqual(300_000)
    // What refuses an expired one is its end alone: made the same way with time left, it is taken.
    expect(await codeWith(await endingIn(30))).toBe('taken')
  })

  test('one of fifty that show the same solution at once is let in', async () => {
    const solution = await solve(await challengeOf())
    const codes = await Promise.all(Array.from({ length: 50 }, () => codeWith(solution)))
    expect(codes.filter((code) => code === 'taken')).toHaveLength(1)
  })

  test('a rotated key still counts, a key that is gone does not', async () => {
    const [kept, lost] = [await solve(await challengeOf()), await solve(await challengeOf())]
    useChallengeKeys('the next key', [secret])
    expect(await codeWith(kept)).toBe('taken')
    useChallengeKeys('the next key')
    expect(await codeWith(lost)).toBe('challenge_required')
    useChallengeKeys(secret)
    expect(await codeWith(lost)).toBe('taken')
  })

  test('GraphQL asks the same way', async () => {
    const query = `mutation { takeTicket(input: {queue_id: ${place.queues[0]!.id}, channel: web}) { number } }`
    const ask = (headers: object) =>
      server.app.inject({
        method: 'POST',
        url: '/graphql',
        remoteAddress: address,
        headers: { 'x-tenant': place.tenant.slug, ...headers },
        payload: { query },
      })
    const refused = (await ask({})).json()
    expect(refused.errors?.[0].extensions).toMatchObject({ code: 'challenge_required', challenge: expect.anything() })
    const solution = await solve(refused.errors[0].extensions.challenge)
    expect((await ask({ 'challenge-solution': solution })).json().errors).toBe(undefined)
  })

  test('without the check, all of these would take a ticket', async () => {
    delete take.mayAskForWork
    try {
      for (const make of Object.values(REFUSED)) expect(await codeWith(await make())).toBe('taken')
    } finally {
      take.mayAskForWork = true
    }
  })
})

test('never: nobody is asked, whatever comes', async () => {
  await setting('never')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  expect(await phones(140)).toEqual({ taken: 140, refusal: undefined })
})
