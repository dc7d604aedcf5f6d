import type { BrowserContext, Page } from 'playwright-core'
import { quickHash } from '../../server/test/password.ts'
import type { TenantFixture } from '../../server/test/factories.ts'
import { DESK } from './console-desk.ts'
import { KIOSK } from './machines.ts'
import { PASSWORD, startSite, type OpenOptions, type OpenPage, type TestSite } from './site.ts'

export interface AdminSite extends TestSite {
  /** A page of the console, opened by the person with this address. */
  openAs(email: string, path: string, options?: OpenOptions & { tenant?: string }): Promise<OpenPage>
  /** An organisation that has nothing yet but its people. */
  empty: TenantFixture
  /** An operator of the platform. */
  operator: string
}

/** The site of a file of tests of the console's other pages. */
export async function startAdminSite(): Promise<AdminSite> {
  const site = await startSite({ agents: 1, counters: 2, queues: 3 })
  const { owner } = site.server
  const empty = await site.server.aTenant({ slug: 'empty', sites: 0, queues: 0, counters: 0, agents: 0 })
  const operator = 'root@example.org'
  await owner(`insert into users (email, name, is_operator) values ($1, 'Root', true)`, [operator])
  await owner('update users set password_hash = $1', [quickHash(PASSWORD)])
  await owner(`update services set names = case code
      when 'A' then '{"fr":"État civil","en":"Registry","ar":"الحالة المدنية"}'
      when 'B' then '{"fr":"Titres","en":"Titles","ar":"الوثائق"}'
      else '{"fr":"Urbanisme","en":"Planning","ar":"التعمير"}' end::jsonb`)
  async function signIn(context: BrowserContext, email: string, tenant: string) {
    const answer = await context.request.post(`${site.url}/api/v1/auth/session/`, {
      headers: { origin: site.url },
      data: { email, password: PASSWORD, ...(tenant && { tenant }) },
    })
    if (!answer.ok()) throw new Error(await answer.text())
  }
  return {
    ...site,
    operator,
    empty,
    openAs(email, path, { tenant, ...options } = {}) {
      const where = tenant ?? (email === operator ? '' : (/@(\w+)\./.exec(email)?.[1] ?? ''))
      const prepare = (page: Page) => signIn(page.context(), email, where)
      return site.open(path, { viewport: DESK, prepare, ...options })
    },
  }
}

/** A ticket machine of the first site that staff has adopted. Its clock is moved by the test. */
export async function aKiosk({ open, run, bank }: AdminSite, kiosk_id?: number): Promise<OpenPage> {
  const site_id = bank.sites[0]!.id
  const machine = await open('/kiosk', { viewport: KIOSK, isLast: true, prepare: (page) => page.clock.install() })
  const { page } = machine
  await page.waitForSelector('.pairing-code')
  const code = (await page.textContent('.pairing-code'))!.trim()
  await run(bank.admin, 'POST', '/devices/pair/', {
    code,
    kind: 'kiosk',
    site_id,
    name: 'Borne',
    ...(kiosk_id && { kiosk_id }),
  })
  await page.clock.runFor(3000)
  await page.waitForSelector('[data-step=welcome]')
  return machine
}

/** Everything that the page asked for has come: nothing on it says that it is awaited. */
export const isThere = (page: Page) =>
  page.waitForFunction(() => !/…/.test(document.querySelector('.admin')?.textContent ?? '…'))
