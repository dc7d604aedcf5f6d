import { afterEach } from 'vitest'
import { startSite, type OpenPage, type TestSite } from './site.ts'

/** A branch with three lines and two agents, emptied after every test, and phones that look at it. */
export async function aBranch() {
  const site = await startSite({ queues: 3, agents: 2, counters: 2 })
  const { bank, server, run } = site
  const opened: OpenPage[] = []
  const open: TestSite['open'] = async (...given) => {
    const page = await site.open(...given)
    opened.push(page)
    return page
  }
  await server.owner(
    `update services set names = jsonb_build_object('fr', 'Service ' || code, 'en', 'Service ' || code, 'ar', 'خدمة ' || code)`,
  )
  await server.owner(`update counters set hint = 'À gauche' where tenant_id = $1`, [bank.tenant.id])
  await server.owner(`update queues set no_show_after_seconds = 120, recall_gap_seconds = 0`)

  /** Settings are changed as an administrator does it: what the server keeps of them must notice. */
  const changes = new Set<string>()
  const queue = (n: number, settings: object) => (
    changes.add('queue'),
    run(bank.admin, 'PATCH', `/queues/${bank.queues[n]!.id}/`, settings)
  )
  const hours = (opening_hours: object | null) => (
    changes.add('site'),
    run(bank.admin, 'PATCH', `/sites/${bank.sites[0]!.id}/`, { opening_hours })
  )

  /** Empties the branch: the next test starts with nobody waiting. */
  afterEach(async () => {
    opened.length = 0
    await site.closeAll()
    await run(bank.admin, 'POST', '/tickets/close-day/', { today: true })
    for (const [n, agent] of bank.agents.entries())
      await run(bank.agentActors[n]!, 'POST', `/agents/${agent.id}/set-status/`, {
        status: 'available',
        counter_id: agent.counter_id,
      })
    if (changes.size > 0) {
      changes.clear()
      await hours(null)
      await queue(0, { is_active: true, grace_seconds: 600 })
      await queue(2, { grace_seconds: 600 })
    }
  })
  const pathOf = (ticket: Record<string, unknown>, lang = 'fr') => `/t/${String(ticket['public_token'])}/?lang=${lang}`
  const take = (queue = 0, more: object = {}) => site.take(queue, more)
  /** Takes and calls a ticket of the second line, which nobody else waits in. */
  async function called(lang = 'fr') {
    const ticket = await take(1)
    const page = await open(pathOf(ticket, lang))
    await page.page.waitForSelector('[aria-live=polite]', { state: 'attached' })
    await site.callNext(0)
    await page.page.waitForSelector('[data-state=called]')
    return { ...page, ticket }
  }
  /** What a supervisor's button leads to, for one ticket. */
  const offerTomorrow = (ticketId: number) =>
    server.owner(
      `insert into tomorrow_offers (tenant_id, ticket_id, site_id, queue_id, day, place, offered_at, expires_at)
       select tenant_id, id, site_id, queue_id, day + 1, id, now(), now() + interval '30 minutes' from tickets where id = $1`,
      [ticketId],
    )
  return { site, open, opened, pathOf, take, called, offerTomorrow, queue, hours }
}
