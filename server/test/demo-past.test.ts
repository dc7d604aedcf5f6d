import { expect, test } from 'vitest'
import { DEMO_PASSWORD, seedDemo } from '../../db/seed.ts'
import { startApp } from './app.ts'
import { writeDemoPast } from '../../db/demo/past.ts'

test('the demo has weeks behind it: whole visits, other people each day, added up for analytics, written once', async () => {
  const server = await startApp()
  const { db, owner } = server
  const [bank] = await seedDemo(db)
  const { tenant, admin } = bank!
  const login = { id: tenant.id, tenant: tenant.slug, email: admin, password: DEMO_PASSWORD }
  const write = async (signal?: AbortSignal) =>
    writeDemoPast({ db, baseUrl: await base, tenants: [login], days: 35, ...(signal && { signal }) })
  const base = server.listen()
  const past = () =>
    owner<{ weekday: number; tickets: number; served: number }>(
      `select extract(isodow from day)::int as weekday, count(*)::int as tickets,
         count(*) filter (where status = 'terminé')::int as served
       from tickets where tenant_id = $1 and day < (now() at time zone 'Europe/Paris')::date group by day order by day`,
      [tenant.id],
    )
  // Somebody ends the demo before its past is whole: the next start goes on from there.
  const stopping = new AbortController()
  const interrupted = write(stopping.signal)
  await expect.poll(async () => (await past()).length).toBeGreaterThan(7)
  stopping.abort()
  await interrupted.catch(() => undefined)
  await write()
  const days = await past()
  expect(days.every(({ weekday }) => weekday !== 7)).toBe(true)
  expect(days.length).toBeGreaterThanOrEqual(30)
  expect(new Set(days.map(({ tickets }) => tickets)).size).toBeGreaterThan(3)
  for (const { served } of days) expect(served).toBeGreaterThan(50)
  const [odd] = await owner(
    `select count(*)::int as n from tickets t join ticket_legs l on l.tenant_id = t.tenant_id and l.ticket_id = t.id
     where t.ended_at < t.entered_at or t.called_at < t.entered_at or l.ended_by <> t.status
       or (t.status = 'terminé') <> (t.started_at is not null and t.agent_id is not null)`,
  )
  expect(odd).toEqual({ n: 0 })
  const [added] = await owner(
    'select sum(served)::int as served from tenant_metrics where tenant_id = $1 and dimension = $2',
    [tenant.id, 'all'],
  )
  expect(added).toEqual({ served: days.reduce((sum, { served }) => sum + served, 0) })
  await write()
  expect(await past()).toEqual(days)
})
