import type { Page } from 'playwright-core'
import { startSite, type OpenOptions, type OpenPage, type TestSite } from './site.ts'

export const DESK = { width: 1440, height: 900 }

export interface ConsoleSite extends TestSite {
  /** A browser of its own with the agent's console in it, signed in and at the counter. */
  openDesk(agent?: number, options?: OpenOptions & { query?: string }): Promise<OpenPage>
  /** Takes so many numbers, one after the other. */
  queueUp(count: number, queue?: number): Promise<string[]>
  /** Nobody waits or is served any more, and every agent is free. */
  reset(): Promise<void>
}

/** The site of a file of console tests: agents at counters, three lines. */
export async function startConsoleSite(): Promise<ConsoleSite> {
  const site = await startSite({ agents: 3, counters: 4, queues: 3 })
  await site.server.owner(`update services set names = case code
      when 'A' then '{"fr":"État civil","en":"Registry","ar":"الحالة المدنية"}'
      when 'B' then '{"fr":"Titres","en":"Titles","ar":"الوثائق"}'
      else '{"fr":"Urbanisme","en":"Planning","ar":"التعمير"}' end::jsonb`)
  await site.server.owner('update queues set recall_gap_seconds = 0')
  /** A key of the test before may still be on its way: whoever the database gives way to comes again. */
  async function settle(statement: string): Promise<void> {
    await site.server.owner(statement).catch((error: { code?: string }) => {
      if (error.code !== '40P01') throw error
      return settle(statement)
    })
  }
  return {
    ...site,
    async openDesk(agent = 0, { query = '', ...options } = {}) {
      const prepare = (page: Page) => site.signIn(page.context(), agent)
      const opened = await site.open(`/app/agent${query}`, { viewport: DESK, prepare, ...options })
      await opened.page.waitForSelector('.panes')
      return opened
    },
    async queueUp(count, queue = 0) {
      const numbers: string[] = []
      for (let i = 0; i < count; i++) numbers.push((await site.take(queue))['number'] as string)
      return numbers
    },
    async reset() {
      await site.closeAll()
      await settle(
        `update tickets set status = 'annulé', ended_at = now(), agent_id = null, counter_id = null
         where status in ('en_attente', 'appelé', 'en_service', 'en_pause')`,
      )
      await settle('update agents set counter_id = null')
      await settle(
        `update agents set status = 'available', desk = null, counter_id = c.id
         from (select id, row_number() over (order by id) as n from counters) c
         where c.n = (select count(*) from agents other where other.id <= agents.id)`,
      )
      await settle('delete from presences')
      // No event told of this: what was read for a live page is good for a second otherwise.
      const tail = await site.server.hub.tail(site.bank.tenant.id, site.bank.sites[0]!.id)
      for (const forget of tail.resets) forget(tail)
    },
  }
}

export const current = (page: Page) => page.locator('[data-current]')
/** Waits until this number is at the counter. */
export const sees = (page: Page, number: string) =>
  current(page)
    .and(page.locator(`[data-current="${number}"]`))
    .waitFor()
export const isFree = (page: Page) => current(page).waitFor({ state: 'detached' })
/** The text of the line below the number. */
export const noticeOf = (page: Page) => page.locator('.current .notice')
