import { beforeEach, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations as registry } from '../index.ts'
import { jobs, listenToAll } from './jobs.ts'
import { listen, watch } from './listen.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const as = caller(runtime, registry)
let bank: TenantFixture
const context = { runtime, tenants: async () => [bank.tenant] }
const siteIds = () => bank.sites.map(({ id }) => id)

/** At the first of three sites no message can be written. */
beforeEach(async () => {
  bank = await aTenant(owner, { sites: 3 })
  const run = as(bank.supervisor, bank.tenant)
  for (const { id: queue_id } of bank.queues) {
    for (const event of ['called', 'position'])
      await as(bank.admin, bank.tenant)('notification-rules.create', {
        queue_id,
        event,
        channels: ['sms'],
        ...(event === 'position' && { threshold: 5 }),
      })
    const customer = { phone: `+3361234${String(1000 + queue_id)}` }
    await run('tickets.take', { queue_id, channel: 'reception', customer })
  }
  await owner(`update tickets set created_at = created_at - interval '10 minutes' where tenant_id = $1`, [
    bank.tenant.id,
  ])
  await owner(`
    create or replace function spoil() returns trigger language plpgsql as $$ begin raise exception 'spoiled'; end $$;
    drop trigger if exists spoil on messages;
    create trigger spoil before insert on messages for each row when (new.site_id = ${siteIds()[0]}) execute function spoil()`)
})
const told = async () =>
  (
    await owner<{ site_id: number }>('select distinct site_id from messages where tenant_id = $1 order by site_id', [
      bank.tenant.id,
    ])
  ).map(({ site_id }) => site_id)

async function naively(visit: typeof watch | typeof listen): Promise<void> {
  for (const siteId of siteIds())
    await db.tenant<unknown>(bank.tenant.id, (tx) => visit({ tx, tenant: bank.tenant, hub: runtime.hub }, siteId))
}

test('one site that fails stops no other site of its organisation from listening', async () => {
  await expect(listenToAll(context)).rejects.toThrow('spoiled')
  expect(await told()).toEqual(siteIds().slice(1))
})

test('one site that fails stops no other site of its organisation from being watched', async () => {
  const watchAll = jobs.find(({ name }) => name === 'notifications.watch')!
  await expect(watchAll.run(context, {})).rejects.toThrow('spoiled')
  expect(await told()).toEqual(siteIds().slice(1))
})

test('the control: sites taken one after the other stop at the first that fails', async () => {
  for (const visit of [listen, watch]) await expect(naively(visit)).rejects.toThrow('spoiled')
  expect(await told()).toEqual([])
})
