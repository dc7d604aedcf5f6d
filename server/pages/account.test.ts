import { afterAll, describe, expect, test } from 'vitest'
import { startJobs } from '../app.ts'
import { createLogger } from '../kernel/log.ts'
import { startApp } from '../test/app.ts'
import { complaintsOf, hasBrowser, startBrowser } from '../test/browser.ts'

describe.skipIf(!hasBrowser)('links in e-mails, opened in Chromium', async () => {
  if (!hasBrowser) return
  const server = await startApp()
  const bank = await server.aTenant({ slug: 'bank' })
  const base = await server.listen()
  const worker = await startJobs(server, createLogger({ level: 'error', destination: process.stderr }))
  afterAll(() => worker.stop())
  const browser = await startBrowser()

  const post = (path: string, payload: object, headers: Record<string, string> = {}) =>
    server.app.inject({ method: 'POST', url: `/api/v1${path}`, headers, payload })
  /** Page and fragment of the link that somebody was sent. */
  async function linkTo(recipient: string): Promise<string> {
    const read = () =>
      server.owner<{ body: string }>('select body from outbox_messages where recipient = $1 order by id desc', [
        recipient,
      ])
    await expect.poll(async () => (await read()).length).toBeGreaterThan(0)
    return /(\/app\/\S+)/.exec((await read())[0]!.body)![1]!
  }
  async function open(link: string, lang = 'en') {
    const context = await browser.newContext()
    const page = await context.newPage()
    const complaints = complaintsOf(page)
    await page.goto(base + link.replace('#', `?lang=${lang}#`))
    return { page, complaints }
  }
  const signIn = async (email: string, password: string) => (await post('/auth/token/', { email, password })).statusCode
  const said = (page: Awaited<ReturnType<typeof open>>['page'], id: string) =>
    page.locator(`#${id}:visible`).textContent()

  test('a new password is chosen with a button, not by opening the link', async () => {
    const email = 'agent1@bank.example'
    await post('/auth/password/forgot/', { email })
    const link = await linkTo(email)
    // Whatever opens links beforehand uses nothing up.
    for (let n = 0; n < 3; n++) await open(link)
    const { page, complaints } = await open(link)
    await page.fill('[name=password]', 'password12')
    await page.click('button')
    expect(await said(page, 'problem')).not.toBe('')
    await page.fill('[name=password]', 'trois petits chats')
    await page.click('button')
    expect(await said(page, 'done')).toBe('Your password is changed. You can sign in.')
    expect(page.url()).not.toContain('#')
    expect(await signIn(email, 'trois petits chats')).toBe(200)
    expect(complaints).toEqual([])
    const again = await open(link, 'fr')
    await again.page.fill('[name=password]', 'quatre petits chats')
    await again.page.click('button')
    expect(await said(again.page, 'problem')).toBe('Ce lien n’est plus valable.')
  })

  test('whoever forgot their password asks for a link from the page where they sign in, and is led back to it', async () => {
    const { page, complaints } = await open('/app/?tenant=bank#')
    await page.click('a[href^="/app/forgot-password"]')
    await page.fill('[name=email]', 'supervisor1@bank.example')
    await page.click('button')
    await page.waitForSelector('#done:visible')
    expect(await said(page, 'done')).toContain('If an account has this address')
    expect(await linkTo('supervisor1@bank.example')).toContain('/app/reset-password#')
    await page.click('#next a')
    await page.waitForSelector('[name=password]')
    expect(complaints).toEqual([])
  })

  test('an invitation says whose it is, asks for name and password, and makes a member', async () => {
    const email = 'new@example.org'
    await post('/tenants/bank/invitations/', { email, role: 'agent' }, server.as(bank.admin))
    const { page, complaints } = await open(await linkTo(email), 'ar')
    await expect.poll(() => page.locator('#about').textContent()).toContain(email)
    expect(await page.getAttribute('html', 'dir')).toBe('rtl')
    await page.fill('[name=name]', 'نادية')
    await page.fill('[name=password]', 'cinq petits chats')
    await page.click('button')
    expect(await said(page, 'done')).toContain('مرحبًا')
    expect(await page.getAttribute('#next a', 'href')).toContain('/app/?lang=ar&tenant=bank')
    expect(await signIn(email, 'cinq petits chats')).toBe(200)
    expect(complaints).toEqual([])
  })

  test('a new address counts once it is confirmed', async () => {
    await post('/auth/email/', { email: 'moved@example.org' }, server.as(bank.supervisor))
    const { page, complaints } = await open(await linkTo('moved@example.org'))
    const address = async () =>
      (await server.owner<{ email: string }>('select email from users where id = $1', [bank.supervisor.userId]))[0]!
        .email
    expect(await address()).toBe('supervisor1@bank.example')
    await page.click('button')
    expect(await said(page, 'done')).toContain('confirmed')
    expect(await address()).toBe('moved@example.org')
    expect(complaints).toEqual([])
  })

  test('without a link there is nothing to press', async () => {
    for (const name of ['reset-password', 'invitation', 'confirm-email']) {
      const { page } = await open(`/app/${name}#`)
      expect(await said(page, 'problem')).toBe('This link has expired.')
      expect(await page.locator('form:visible').count()).toBe(0)
    }
  })
})
