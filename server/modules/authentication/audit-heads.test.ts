import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { verifyTrail } from '../../transports/cli/audit.ts'
import { startApp } from '../../test/app.ts'
import {
  flushFailedSignIns,
  forgedOf,
  isSignedHead,
  jobs,
  readHeads,
  signHeadsAnew,
  useAuditHeads,
  useSigningKeys,
  type SignedHead,
} from './index.ts'

const directory = await mkdtemp(join(tmpdir(), 'sq-heads-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const server = await startApp()
useAuditHeads(directory)
const bank = await server.aTenant({ slug: 'bank' })
const exportHeads = jobs.find(({ name }) => name === 'audit.export_heads')!
const exported = () => exportHeads.run({ runtime: server.runtime, tenants: async () => [bank.tenant] }, {})
const file = join(directory, 'tenant-bank.jsonl')

const change = (name: string) =>
  server.app.inject({
    method: 'POST',
    url: '/api/v1/tenants/bank/counters/',
    headers: server.as(bank.admin),
    payload: { site_id: bank.sites[0]!.id, name },
  })
const told: string[] = []
const holds = (options: { tenant?: string; heads: string }) =>
  verifyTrail(server.config, options, (line) => told.push(line))
const verify = () => holds({ tenant: 'bank', heads: directory })

test('each day’s head is signed, kept, and the trail passes through all of them', async () => {
  for (const name of ['One', 'Two', 'Three']) {
    expect((await change(name)).statusCode).toBe(201)
    await exported()
  }
  const heads = await readHeads(directory, 'tenant-bank')
  expect([heads.length, heads.every(isSignedHead), new Set(heads.map(({ seq }) => seq)).size]).toEqual([3, true, 3])
  expect(await verify()).toBe(true)
  expect(told.at(-1)).toContain('passes through 3 exported heads')
  const answer = await server.app.inject({ url: '/api/v1/tenants/bank/audit/head/', headers: server.as(bank.admin) })
  expect(isSignedHead(answer.json<SignedHead>())).toBe(true)
  expect(answer.json()).toMatchObject({ seq: heads[2]!.seq, link: heads[2]!.link, tenant_id: bank.tenant.id })
})

test('a head that was altered, or made for another log, is found', async () => {
  const good = await readFile(file, 'utf8')
  const [first] = await readHeads(directory, 'tenant-bank')
  for (const change of [{ seq: 77 }, { link: '0'.repeat(64) }, { at: '2026-01-01T00:00:00Z' }, { tenant_id: 0 }]) {
    expect(isSignedHead({ ...first!, ...change })).toBe(false)
    await appendFile(file, `${JSON.stringify({ ...first!, ...change })}\n`)
    expect(await verify()).toBe(false)
    expect(told.at(-1)).toContain('forged_head')
    await writeFile(file, good)
  }
  expect(await verify()).toBe(true)
})

test('heads outlive the key that signed them once they are signed anew', async () => {
  const present = server.config.secretKey
  const before = await readFile(file, 'utf8')
  try {
    useSigningKeys('n'.repeat(40), [present])
    expect(forgedOf(await readHeads(directory, 'tenant-bank'))).toEqual([])
    useSigningKeys('n'.repeat(40))
    expect(forgedOf(await readHeads(directory, 'tenant-bank'))).toHaveLength(3)
    expect(await signHeadsAnew(directory)).toBe(0)

    useSigningKeys('n'.repeat(40), [present])
    await appendFile(file, `${JSON.stringify({ ...(await readHeads(directory, 'tenant-bank'))[0]!, seq: 77 })}\n`)
    expect(await signHeadsAnew(directory)).toBeGreaterThanOrEqual(3)
    expect(await signHeadsAnew(directory)).toBe(0)
    useSigningKeys('n'.repeat(40))
    const heads = await readHeads(directory, 'tenant-bank')
    expect(forgedOf(heads).map(({ seq }) => seq)).toEqual([77])
    expect(heads.filter(isSignedHead)).toHaveLength(3)
  } finally {
    useSigningKeys(present)
    await writeFile(file, before)
  }
  expect(await verify()).toBe(true)
})

test('a chain written anew by whoever owns the database is found by the heads alone', async () => {
  await server.owner('delete from audit_entries where tenant_id = $1', [bank.tenant.id])
  await server.owner('delete from audit_heads where tenant_id = $1', [bank.tenant.id])
  for (const name of ['Four', 'Five', 'Six', 'Seven']) await change(name)
  // Control: without the heads the new chain holds.
  expect(await holds({ tenant: 'bank', heads: join(directory, 'nowhere') })).toBe(true)
  expect(await verify()).toBe(false)
})

test('failed sign-ins are on record, one row an account however many there were', async () => {
  const hall = await server.aTenant({ slug: 'hall' })
  const signIn = (email: string) =>
    server.app.inject({ method: 'POST', url: '/api/v1/auth/token/', payload: { email, password: 'not the password' } })
  for (let n = 0; n < 12; n++) await signIn(n < 5 ? 'admin1@hall.example' : `nobody${n}@nowhere.example`)
  const rows = (tenantId: number) =>
    server.owner<{ subject: string; details: unknown; address: string }>(
      `select subject, details, address from audit_entries where tenant_id = $1 and operation = 'auth.failed'`,
      [tenantId],
    )
  expect(await rows(hall.tenant.id)).toEqual([])
  await flushFailedSignIns(server.db)
  expect(await rows(hall.tenant.id)).toEqual([
    { subject: `user:${hall.admin.userId}`, details: { given: { failures: 5 } }, address: '127.0.0.0/24' },
  ])
  expect(await rows(0)).toEqual([{ subject: '', details: { given: { failures: 7 } }, address: '127.0.0.0/24' }])
  await flushFailedSignIns(server.db)
  expect(await rows(0)).toHaveLength(1)
  expect(JSON.stringify(await rows(0))).not.toContain('nowhere')
  expect(await holds({ heads: join(directory, 'nowhere') })).toBe(true)
})
