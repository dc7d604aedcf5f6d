import { mkdirSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { DESK, sees, startConsoleSite } from './console-desk.ts'

const FOLDER = 'docs/screens/'
/** Small files; what is judged is the whole. */
const VIEW = { viewport: DESK, deviceScaleFactor: 0.75 }

test('the agent’s console, dark and light, French and Arabic', { timeout: 240_000 }, async () => {
  const site = await startConsoleSite()
  const { owner } = site.server
  mkdirSync(FOLDER, { recursive: true })
  await owner(
    `update counters set name = 'Guichet ' || n from (select id as other, row_number() over (order by id) as n from counters) c where id = other`,
  )
  await owner('update agents set max_wait_seconds = 1200')
  const shoot = (page: Page, name: string) => page.screenshot({ path: `${FOLDER}console-${name}.png` })
  for (const [lang, theme] of [
    ['fr', 'dark'],
    ['ar', 'light'],
  ] as const) {
    await site.reset()
    const gate = await site.open(`/app/agent?tenant=demo&lang=${lang}`, VIEW)
    await gate.page.waitForSelector('[name=password]')
    await gate.page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme)
    await shoot(gate.page, `sign-in-${lang}`)
    await gate.context.close()

    const { page, context } = await site.openDesk(0, { ...VIEW, query: `?lang=${lang}` })
    if (theme === 'light') await page.click('[data-command=theme]')
    await shoot(page, `empty-${lang}`)
    const { number: first, public_token: token } = await site.take(0)
    await site.queueUp(3)
    await site.take(1, { language: 'fr' })
    await site.take(0)
    await site.take(2, { language: 'ar', needs: ['standing'] })
    await site.take(1)
    const customer = { name: 'Samira Haddad', phone: '+33612345678' }
    await site.run(site.bank.admin, 'PATCH', `/tickets/${await idOf(first)}/`, {
      customer,
      language: lang,
      labels: ['VIP'],
    })
    // Nine minutes between two arrivals, so that the list looks like a morning.
    await owner(
      `update tickets t set created_at = t.created_at - n * interval '171 s' - interval '40 s'
       from (select id as other, row_number() over (order by id desc) as n from tickets where status = 'en_attente') w where t.id = other`,
    )
    await page.reload()
    await page.locator(`[data-upcoming="${first}"]`).waitFor()
    await shoot(page, `waiting-${lang}`)
    await page.keyboard.press('n')
    await sees(page, first)
    await page.waitForSelector('.toast')
    await fetch(`${site.url}/api/v1/t/${token}/reply/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reply: 'on_my_way' }),
    })
    await page.waitForSelector('[data-reply]')
    await page.waitForSelector('.person .note')
    await page.waitForLoadState('networkidle')
    await shoot(page, `called-${lang}`)
    await page.keyboard.press('s')
    await page.locator('.current[data-state=serving]').waitFor()
    await page.waitForLoadState('networkidle')
    await owner(`update tickets set started_at = started_at - interval '131 s' where status = 'en_service'`)
    await page.reload()
    await page.waitForSelector('.person .note')
    await page.waitForLoadState('networkidle')
    await shoot(page, `serving-${lang}`)
    await page.keyboard.press('t')
    await page.waitForSelector('[data-sheet=transfer]')
    await shoot(page, `transfer-${lang}`)
    await page.keyboard.press('Escape')
    await page.keyboard.press('f')
    await page.locator('.current[data-state=free]').waitFor()
    await page.keyboard.press('b')
    await page.waitForSelector('[data-sheet=pause]')
    await shoot(page, `pause-${lang}`)
    await page.keyboard.press('Escape')
    await context.setOffline(true)
    await page.waitForSelector('[role=status][data-stale]')
    await shoot(page, `offline-${lang}`)
    await context.setOffline(false)
  }
  async function idOf(number: string): Promise<number> {
    const [row] = await owner<{ id: number }>('select id from tickets where number = $1 order by id desc limit 1', [
      number,
    ])
    return row!.id
  }
})
