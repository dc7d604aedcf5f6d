import { expect, test } from 'vitest'
import { hashPassword } from '../modules/authentication/index.ts'
import { startApp } from '../test/app.ts'
import { bankTrace, officeTrace } from './control-traces.ts'
import { replay } from './index.ts'
import type { ReplayReport } from './report.ts'

const app = await startApp()
const baseUrl = await app.listen()
const { tenant, admin } = await app.aTenant()
const password = 'correct horse battery'
await app.owner('update users set password_hash = $2 where id = $1', [admin.userId, await hashPassword(password)])
const [account] = await app.owner<{ email: string }>('select email from users where id = $1', [admin.userId])

async function play(trace: string) {
  let text = ''
  const options = { trace, speed: 'max', baseUrl, tenant: tenant.slug, email: account!.email, password } as const
  const out = { write: (more: string) => (text += more) }
  const code = await replay({ ...options, visitors: 10, dropEvery: 100, json: true }, out)
  return { code, report: JSON.parse(text) as ReplayReport }
}

test.each([
  ['office', officeTrace],
  ['bank', bankTrace],
])(
  'a day at the %s: no double call, no lost event, waits as the oracle says, twice in the same tenant',
  async (_, trace) => {
    const path = trace()
    for (const round of [1, 2]) {
      const { code, report } = await play(path)
      expect(report.faults, `round ${round}`).toEqual([])
      expect(code).toBe(0)
      expect(report.wait_deviation).toBeLessThan(0.02)
      expect(report.tickets.served + report.tickets.abandoned).toBe(report.tickets.planned)
      expect(report.tickets.abandoned).toBeGreaterThan(0)
      expect(report.visitors.informed).toBeGreaterThan(5)
    }
  },
  60_000,
)
