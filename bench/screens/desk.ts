import type { Verdict } from '../goals.ts'
import { median } from '../measure/stats.ts'
import { pressAndPaint, watchDesk } from './in-page.ts'
import { p95, type World } from './world.ts'

const WARM = 5

/** From the key to the next number painted, and to the server's word for it. */
export async function keys({ desk, take, many }: World): Promise<Verdict[]> {
  const count = many(50)
  for (let i = 0; i < count + WARM; i++) await take()
  const painted: number[] = []
  const confirmed: number[] = []
  await desk.locator('.waiting-row').first().waitFor()
  for (let i = 0; i < count + WARM; i++) {
    const answer = desk.waitForResponse(/\/next\/$/)
    const ms = await desk.evaluate(pressAndPaint)
    const response = await answer
    await response.finished()
    // The first ones warm the page up.
    if (i < WARM) continue
    painted.push(ms)
    confirmed.push(response.request().timing().responseEnd)
  }
  return [
    { text: `A1 key to paint, median of ${count}, ms`, atMost: 50, measured: median(painted) },
    { text: `A1 key to paint, P95 of ${count}, ms`, atMost: 50, measured: p95(painted) },
    { text: `A1 key to the server's answer, P95 of ${count}, ms`, atMost: 250, measured: p95(confirmed) },
  ]
}

type Seen = { longestTask: number; mouse: number }
const seen = () => (globalThis as unknown as { seen: Seen }).seen

/** A day by keyboard alone. */
export async function day({ desk, take, many }: World): Promise<Verdict[]> {
  const count = many(300)
  const debug = await desk.context().newCDPSession(desk)
  const heap = async () => {
    await debug.send('HeapProfiler.collectGarbage')
    return (await debug.send('Runtime.getHeapUsage')).usedSize / 1e6
  }
  for (let i = 0; i < count; i++) await take()
  await desk.locator(`[data-waiting="${count}"]`).waitFor()
  await desk.evaluate(watchDesk)
  const before = await heap()
  for (let i = 0; i < count; i++) {
    const answer = desk.waitForResponse(/\/next\/$/)
    await desk.keyboard.press('n')
    const response = await answer
    if (!response.ok()) console.error(`key ${i + 1}: ${response.status()} ${await response.text()}`)
  }
  const waiting = desk.locator('[data-waiting]')
  await desk
    .locator('[data-waiting="0"]')
    .waitFor({ timeout: 5000 })
    .catch(() => {})
  const left = Number(await waiting.getAttribute('data-waiting'))
  return [
    { text: `A1 ${count} tickets by as many keys, left over`, atMost: 0, measured: left },
    { text: `A1 ${count} tickets by keyboard, growth of the heap, MB`, atMost: 20, measured: (await heap()) - before },
    {
      text: `A1 ${count} tickets by keyboard, events of a mouse`,
      atMost: 0,
      measured: (await desk.evaluate(seen)).mouse,
    },
  ]
}

/** Two thousand wait: the list is scrolled through, and one is found. */
export async function longLine({ desk, query }: World, tenantId: number): Promise<Verdict[]> {
  await query(
    `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, rank, entered_at, created_at)
     select q.tenant_id, q.site_id, q.id, q.service_id, current_date, q.id, current_date, 1000 + n,
            q.number_prefix || lpad(n::text, 4, '0'), 'reception', extract(epoch from now())::bigint * 1000000 + n, now(), now()
     from queues q, generate_series(1, 700) n where q.tenant_id = $1`,
    [tenantId],
  )
  await desk.reload()
  await desk.locator('.waiting-row').nth(10).waitFor()
  await desk.waitForLoadState('networkidle')
  await desk.evaluate(watchDesk)
  await desk.hover('.scroller')
  for (let i = 0; i < 60; i++) {
    await desk.mouse.wheel(0, 400)
    await desk.evaluate(() => new Promise(requestAnimationFrame))
  }
  const { longestTask } = await desk.evaluate(seen)
  const found: number[] = []
  for (const number of ['c0010', 'b0333', 'a0100', 'c0200', 'b0050']) {
    await desk.fill('#find', number.slice(0, -1))
    found.push(await desk.evaluate(findAndPaint, number))
    await desk.fill('#find', '')
  }
  return [
    { text: 'A10 2,100 wait, longest task while scrolling, ms', atMost: 50, measured: longestTask },
    { text: 'A10 2,100 wait, a number found, median of 5, ms', atMost: 100, measured: median(found) },
  ]
}

/** Types the last figure and waits until one row is left and painted. Runs in the page. */
function findAndPaint(number: string): Promise<number> {
  const field = document.querySelector<HTMLInputElement>('#find')!
  const typedAt = performance.now()
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(field, number)
  field.dispatchEvent(new Event('input', { bubbles: true }))
  return new Promise((resolve) => {
    const look = () => {
      if (document.querySelectorAll('.waiting-row').length === 1) setTimeout(() => resolve(performance.now() - typedAt))
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
}
