import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { startSite } from './site.ts'

const FOLDER = 'docs/screens/'
const NAMES = {
  A: { fr: 'État civil', en: 'Civil registry', ar: 'الحالة المدنية' },
  B: { fr: 'Urbanisme', en: 'Planning', ar: 'التعمير' },
  C: { fr: 'Passeports', en: 'Passports', ar: 'جوازات السفر' },
}

test('the visitor’s pages in three languages', { timeout: 120_000 }, async () => {
  const site = await startSite({ queues: 3, agents: 2, counters: 5 })
  const { owner } = site.server
  mkdirSync(FOLDER, { recursive: true })
  for (const [code, names] of Object.entries(NAMES))
    await owner('update services set names = $2 where code = $1', [code, JSON.stringify(names)])
  await owner(`update tenants set name = 'Mairie'`)
  await owner(`update sites set name = 'Lyon 3ᵉ', address = '215 rue Duguesclin'`)
  await owner(`update counters set name = 'Guichet 5', hint = 'Rez-de-chaussée, à gauche' where id = $1`, [
    site.bank.counters[0]!.id,
  ])
  await owner('update queues set no_show_after_seconds = 120')
  for (let n = 0; n < 5; n++) await site.take(0)
  await site.take(2)
  const shoot = (page: Page, name: string) => page.screenshot({ path: `${FOLDER}${name}.png` })
  const open = async (path: string) => (await site.open(path)).page
  for (const lang of ['fr', 'en', 'ar'])
    await shoot(await open(`/site/demo/site-1?lang=${lang}`), `visitor-site-${lang}`)
  const ticket = await site.take(0)
  const path = `/t/${String(ticket['public_token'])}/`
  const pages: Record<string, Page> = {}
  for (const lang of ['fr', 'en', 'ar']) {
    pages[lang] = await open(`${path}?lang=${lang}`)
    await pages[lang].waitForSelector('[aria-expanded]')
    await shoot(pages[lang], `visitor-waiting-${lang}`)
  }
  const act = async (verb: string) => {
    await site.act(verb, ticket['id'] as number)
  }
  const all = async (state: string) => {
    for (const [lang, page] of Object.entries(pages)) {
      await page.waitForSelector(`[data-state=${state}]`)
      // What the first frame does not carry is read at once; the picture waits for it.
      await page.waitForLoadState('networkidle')
      await shoot(page, `visitor-${state}-${lang}`)
    }
  }
  await site.run(site.bank.agentActors[0]!, 'POST', `/tickets/${String(ticket['id'])}/call/`, {
    agent_id: site.bank.agents[0]!.id,
  })
  await all('called')
  await act('no-show')
  await all('no_show')
  await pages['fr']!.click('form:has([value=here]) button')
  await pages['fr']!.waitForSelector('[data-state=waiting]')
  await site.run(site.bank.agentActors[0]!, 'POST', `/tickets/${String(ticket['id'])}/call/`, {
    agent_id: site.bank.agents[0]!.id,
  })
  await act('start')
  await act('complete')
  await all('completed')
})
