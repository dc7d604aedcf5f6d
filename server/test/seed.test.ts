import { expect, test } from 'vitest'
import { DEMO_PASSWORD, seedDemo } from '../../db/seed.ts'
import { operations } from '../modules/authentication/index.ts'
import { displayLink, openDisplay } from '../modules/displays/index.ts'
import { anonymousActor } from './factories.ts'
import { testDatabase } from './harness.ts'
import { caller, testRuntime } from './runtime.ts'

test('the demo is there after any number of starts, and changes made in it stay', async () => {
  const { db, owner } = await testDatabase()
  const counts = () =>
    owner<Record<string, number>>(
      `select (select count(*) from tenants) as tenants, (select count(*) from sites) as sites, (select count(*) from queues) as queues,
         (select count(*) from services) as services, (select count(*) from counters) as counters, (select count(*) from users) as users,
         (select count(*) from agents) as agents, (select count(*) from agent_queues) as skills,
         (select count(*) from displays) as displays, (select count(*) from streams) as streams`,
    )
  // Two processes of a first start.
  const [seeded, again] = await Promise.all([seedDemo(db), seedDemo(db)])
  expect(seeded).toEqual(again)
  const first = await counts()
  expect(first).toEqual([
    {
      tenants: 3,
      sites: 4,
      queues: 24,
      services: 21,
      counters: 26,
      users: 28,
      agents: 22,
      skills: 35,
      displays: 6,
      streams: 7,
    },
  ])
  await owner(`update services set name = 'Renamed' where code = 'A'`)
  await seedDemo(db)
  expect(await counts()).toEqual(first)
  expect(await owner(`select 1 from services where name = 'Renamed'`)).toHaveLength(3)
  // A link that somebody changed is the one that the next start prints.
  const { tenant: bank, displays } = seeded[0]!
  const [screen] = displays
  const opens = (link: string) =>
    openDisplay(db, bank.id, screen!.id, new URL(link, 'http://x').searchParams.get('token')!)
  expect(await opens(displayLink(bank, screen!.id, screen!.link_version))).toBeDefined()
  await owner('update displays set link_version = link_version + 1 where id = $1', [screen!.id])
  const [now] = (await seedDemo(db))[0]!.displays
  expect(await opens(displayLink(bank, now!.id, now!.link_version))).toBeDefined()
  expect(await opens(displayLink(bank, screen!.id, screen!.link_version))).toBe(undefined)

  expect(seeded.map(({ tenant }) => tenant.slug)).toEqual(['demo-bank', 'demo-mairie', 'demo-clinic'])
  expect(seeded[1]!.queues).toHaveLength(11)
  const [idle] = await owner(
    `select count(*)::int as queues from queues q where not exists (select from agent_queues s where s.queue_id = q.id)`,
  )
  expect(idle).toEqual({ queues: 0 })
  const nobody = caller(testRuntime(db), operations)(anonymousActor, null)
  for (const { tenant, admin, agents } of seeded) {
    expect(await nobody('auth.token', { email: admin, password: DEMO_PASSWORD })).toMatchObject({
      role: 'admin',
      tenant: { slug: tenant.slug },
    })
    expect(await nobody('auth.token', { email: agents[0]!.email, password: DEMO_PASSWORD })).toMatchObject({
      role: 'agent',
    })
  }
})
