import { expect, test } from 'vitest'
import { quickHash } from '../test/password.ts'
import { startApp } from '../test/app.ts'
import { bankTrace, officeTrace } from './control-traces.ts'
import { replay, startDemoDay } from './index.ts'
import type { ReplayReport } from './report.ts'

const app = await startApp()
const baseUrl = await app.listen()
const password = 'correct horse battery'
const passwordHash = quickHash(password)
/** A tenant whose administrator signs in with the password. */
async function signInTo(shape: Parameters<typeof app.aTenant>[0]) {
  const fixture = await app.aTenant(shape)
  const [account] = await app.owner<{ email: string }>(
    'update users set password_hash = $2 where id = $1 returning email',
    [fixture.admin.userId, passwordHash],
  )
  return { ...fixture, login: { tenant: fixture.tenant.slug, email: account!.email, password } }
}
const { login } = await signInTo({})

async function play(trace: string, tickets?: number) {
  let text = ''
  const out = { write: (more: string) => (text += more) }
  const sampled = { visitors: 10, dropEvery: 100, json: true }
  const code = await replay({ trace, speed: 'max', baseUrl, ...login, ...sampled, tickets }, out)
  return { code, report: JSON.parse(text) as ReplayReport }
}

test.each([
  ['office', officeTrace],
  ['bank', bankTrace],
])(
  'a day at the %s: no double call, no lost event, waits as the oracle says; and again',
  async (_, trace) => {
    const path = trace()
    const { code, report } = await play(path)
    expect(report.faults).toEqual([])
    expect(code).toBe(0)
    expect(report.wait_deviation).toBeLessThan(0.02)
    expect(report.tickets.served + report.tickets.abandoned).toBe(report.tickets.planned)
    expect(report.tickets.abandoned).toBeGreaterThan(0)
    expect(report.events.reconnects).toBeGreaterThan(1)
    expect(report.visitors.informed).toBeGreaterThan(5)

    // What the first replay made in the tenant is found and used again.
    const again = await play(path, 15)
    expect(again.report.faults).toEqual([])
    expect(again.report.tickets.taken).toBe(15)
  },
  180_000,
)

test('a demo day lives: visitors come, agents of the tenant call and serve them, until it is stopped', async () => {
  const { tenant, agents, login } = await signInTo({ queues: 3, agents: 3, counters: 3 })
  const left = agents[2]!.id
  const errors: unknown[] = []
  const stop = startDemoDay({
    baseUrl,
    tenants: [login],
    speed: 2000,
    // So late that the day ends, and begins again, before ten people are served.
    from: '17:15',
    plays: ({ id }) => id !== left,
    onError: (error) => errors.push(error),
  })
  const finished = async () =>
    (
      await app.owner<{ agent_id: number }>(
        `select agent_id from tickets where tenant_id = $1 and status = 'terminé'`,
        [tenant.id],
      )
    ).map((row) => row.agent_id)
  while ((await finished()).length < 10 && errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  await stop()
  expect(errors).toEqual([])
  const agentIds = new Set(await finished())
  expect(agentIds).toContain(agents[0]!.id)
  expect(agentIds).not.toContain(left)
}, 180_000)
