import type { Page } from 'playwright-core'
import type { Verdict } from '../goals.ts'
import type { World } from './world.ts'

/** Two agents press at the same instant, again and again: each ticket is called to one of them, and none is left out. */
export async function race({ desk, take, query, many }: World, other: Page): Promise<Verdict[]> {
  const rounds = many(100)
  const numbers: string[] = []
  for (let i = 0; i < 2 * rounds; i++) numbers.push((await take()).number)
  await Promise.all([desk, other].map((page) => page.locator(`[data-waiting="${2 * rounds}"]`).waitFor()))
  for (let round = 0; round < rounds; round++) await Promise.all([pressed(desk), pressed(other)])
  const [calls] = await query<{ twice: number; never: number }>(
    `select count(*) filter (where n > 1)::int as twice, count(*) filter (where n = 0)::int as never
     from (select (select count(*) from events e where e.ticket_id = t.id and e.type = 'ticket.called') as n
           from tickets t where t.number = any($1) and t.day = (select max(day) from tickets)) calls`,
    [numbers],
  )
  // Nobody is left at either counter for what comes next.
  for (const page of [desk, other]) {
    await page.keyboard.press('n')
    await page.locator('[data-current]').waitFor({ state: 'detached' })
  }
  return [
    { text: `A2 two agents press together, ${rounds} rounds, called twice`, atMost: 0, measured: calls!.twice },
    { text: `A2 two agents press together, ${rounds} rounds, left out`, atMost: 0, measured: calls!.never },
  ]
}

/** The key, until the screen shows whom the server gave. */
async function pressed(page: Page): Promise<void> {
  const answered = page.waitForResponse(/\/next\/$/)
  await page.keyboard.press('n')
  const { ticket } = (await (await answered).json()) as { ticket: { number: string } }
  await page.locator(`[data-current="${ticket.number}"]`).waitFor()
}
