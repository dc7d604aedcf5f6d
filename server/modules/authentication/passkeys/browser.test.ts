import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { displayLink } from '../../displays/index.ts'
import { startApp } from '../../../test/app.ts'
import { complaintsOf, hasBrowser, startBrowser } from '../../../test/browser.ts'
import { quickHash } from '../../../test/password.ts'

type Json = Record<string, any>

/** The page's own origin must be known before the server starts: passkeys are made for it. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

describe.skipIf(!hasBrowser)('in Chromium', async () => {
  if (!hasBrowser) return
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const server = await startApp({ PUBLIC_URL: origin })
  const tenant = await server.aTenant({ slug: 'browser' })
  await server.app.listen({ host: '127.0.0.1', port })
  const password = 'trois petits chats'
  await server.owner('update users set password_hash = $1', [quickHash(password)])
  const browser = await startBrowser()

  /** A request as the console's own scripts send it. */
  const api = (page: Page, method: string, path: string, body?: Json, csrf?: string) =>
    page.evaluate(
      async ([method, path, body, csrf]) => {
        const answer = await fetch(`/api/v1/auth${path as string}`, {
          method: method as string,
          headers: {
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(csrf && { 'x-csrf-token': csrf as string }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        const text = await answer.text()
        return { status: answer.status, body: (text ? JSON.parse(text) : {}) as Json }
      },
      [method, path, body, csrf] as const,
    )
  /** The platform's own dialogue, answered by a virtual authenticator. */
  const create = (page: Page, options: Json) =>
    page.evaluate(async (options) => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never)
      return ((await navigator.credentials.create({ publicKey })) as PublicKeyCredential).toJSON() as Json
    }, options)
  const get = (page: Page, options: Json) =>
    page.evaluate(async (options) => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never)
      return ((await navigator.credentials.get({ publicKey })) as PublicKeyCredential).toJSON() as Json
    }, options)

  async function openPage(isUserVerified: boolean) {
    const page = await (await browser.newContext()).newPage()
    const session = await page.context().newCDPSession(page)
    await session.send('WebAuthn.enable')
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified,
        automaticPresenceSimulation: true,
      },
    })
    await page.goto(`${origin}/app/agent`)
    return {
      page,
      setVerified: (is: boolean) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: is }),
    }
  }

  test('A0 a person adds a passkey, signs out, signs in with it and proves a dangerous act', async () => {
    const { page, setVerified } = await openPage(true)
    const login = await api(page, 'POST', '/session/', { email: 'agent1@browser.example', password })
    expect(login.status).toBe(200)
    const csrf = login.body['csrf_token'] as string
    // Scripts cannot read the cookie.
    expect(await page.evaluate(() => document.cookie)).toBe('')
    const begun = await api(page, 'POST', '/passkeys/registration-options/', {}, csrf)
    const response = await create(page, begun.body['options'] as Json)
    const added = await api(
      page,
      'POST',
      '/biometric/register/',
      { challenge_id: begun.body['challenge_id'], name: 'Laptop', response },
      csrf,
    )
    expect(added).toMatchObject({ status: 201, body: { name: 'Laptop' } })
    expect((await api(page, 'POST', '/logout/', {}, csrf)).status).toBe(204)
    expect((await api(page, 'GET', '/session/')).status).toBe(401)

    const options = await api(page, 'POST', '/passkeys/sign-in-options/', {})
    const answer = {
      challenge_id: options.body['challenge_id'],
      response: await get(page, options.body['options'] as Json),
    }
    const signedIn = await api(page, 'POST', '/passkeys/sign-in/', answer)
    expect(signedIn).toMatchObject({ status: 200, body: { user: { email: 'agent1@browser.example' } } })
    const csrfNow = signedIn.body['csrf_token'] as string
    expect((await api(page, 'GET', '/session/')).status).toBe(200)
    expect((await api(page, 'POST', '/passkeys/sign-in/', answer)).status).toBe(401)

    await server.owner(`update sessions set proven_at = now() - interval '10 minutes'`)
    const dangerous = () => api(page, 'POST', '/passkeys/registration-options/', {}, csrfNow)
    expect((await dangerous()).body).toMatchObject({ code: 'proof_required' })
    const proof = await api(page, 'POST', '/biometric/options/', {}, csrfNow)
    const proven = await get(page, proof.body['options'] as Json)
    expect(
      (
        await api(
          page,
          'POST',
          '/biometric/verify/',
          { challenge_id: proof.body['challenge_id'], response: proven },
          csrfNow,
        )
      ).status,
    ).toBe(200)
    expect((await dangerous()).status).toBe(200)

    // A0: the form's second way, and the last counter by itself.
    expect((await api(page, 'POST', '/logout/', {}, csrfNow)).status).toBe(204)
    await page.goto(`${origin}/app/agent`)
    await page.click('form button[type=button]')
    await page.waitForSelector('.panes')
    await page.locator('.current h2', { hasText: 'Counter 1' }).waitFor()

    // A device that does not recognise its owner answers nothing that is asked with user verification required.
    await setVerified(false)
    const again = await api(page, 'POST', '/passkeys/sign-in-options/', {})
    await expect(get(page, again.body['options'] as Json)).rejects.toThrow(/NotAllowedError/)
    await page.context().close()
  })

  test('a page of another origin gets neither a passkey nor the session', async () => {
    const { page } = await openPage(true)
    await api(page, 'POST', '/session/', { email: 'agent1@browser.example', password })
    // The same server under another name is another site to a browser.
    await page.goto(`http://127.0.0.1:${port}/app/agent`)
    expect((await api(page, 'GET', '/session/')).status).toBe(401)
    const options = await api(page, 'POST', '/passkeys/sign-in-options/', {})
    await expect(get(page, options.body['options'] as Json)).rejects.toThrow(/SecurityError/)
    // A page of somebody else's sends a change here: the browser names its origin, and takes no cookie along.
    const evil = createHttpServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>evil</title>')
    }).listen(0, '127.0.0.1')
    await once(evil, 'listening')
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
    const status = await page.evaluate(async (target) => {
      const sent = fetch(`${target}/api/v1/auth/logout/`, { method: 'POST', credentials: 'include', mode: 'no-cors' })
      return sent.then(
        () => 'answered',
        () => 'refused',
      )
    }, origin)
    evil.close()
    expect(status).toBe('refused')
    await page.goto(`${origin}/app/agent`)
    expect((await api(page, 'GET', '/session/')).status).toBe(200)
    await page.context().close()
  })

  test('pages run their scripts under their policy, and nothing else', async () => {
    const site = (
      await server.owner<{ slug: string }>('select slug from sites where id = $1', [tenant.sites[0]!.id])
    )[0]!.slug
    const [display] = await server.owner<{ id: number }>(
      'insert into displays (tenant_id, site_id, name) values ($1, $2, $3) returning id',
      [tenant.tenant.id, tenant.sites[0]!.id, 'Wall'],
    )
    const page = await (await browser.newContext()).newPage()
    const complaints = complaintsOf(page)
    const wall = displayLink(tenant.tenant, display!.id)
    for (const path of ['/', '/app/agent', `/site/browser/${site}`, wall, '/nowhere']) {
      await page.goto(origin + path)
      await page.waitForLoadState('networkidle')
    }
    expect(complaints).toEqual([])
    // Control: the policy bites.
    await page.goto(`${origin}/app/agent`)
    const outcomes = await page.evaluate(() => {
      const attempt = (act: () => void) => {
        try {
          act()
          return 'done'
        } catch (error) {
          return (error as Error).name
        }
      }
      const script = document.createElement('script')
      return [
        attempt(() => (document.body.innerHTML = '<img src=x onerror="document.title=1">')),
        attempt(() => script.setAttribute('src', 'data:text/javascript,document.title=1')),
        attempt(() => (script.textContent = 'document.title = 1')),
      ]
    })
    expect(outcomes).toEqual(['TypeError', 'TypeError', 'TypeError'])
    await page.context().close()
  })
})
