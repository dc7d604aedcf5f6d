import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connectDirect, migrate } from '../../kernel/db/index.ts'
import { MIGRATIONS } from '../../kernel/db/migrate.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { databaseUrl } from '../../test/template.ts'
import { dayBefore } from '../../kernel/events/index.ts'
import { EVENTS as ofEstimates } from '../estimates/refresh.ts'
import { useStorage } from '../media/index.ts'
import { EVENTS as ofNotifications } from '../notifications/listen.ts'
import { EVENTS as ofSearch } from '../search/feed/take-in.ts'
import * as tickets from '../tickets/index.ts'
import * as webhooks from '../webhooks/index.ts'
import { TAKE_IN as ofWebhooks, takeInAll } from '../webhooks/sending/take-in.ts'
import { fileOf, filesOf, readLines } from './file.ts'
import { dropOldParts } from './parts.ts'
import { restoreArchive } from './restore.ts'
import { archiveTickets } from './tickets.ts'

/** All that is told here of is longer ago than this. */
const DAYS = 400
const { db, owner } = await testDatabase()
const run = caller(testRuntime(db), [...tickets.operations, ...webhooks.operations])
const dataDir = mkdtempSync(join(tmpdir(), 'sq-archive-'))
afterAll(() => rmSync(dataDir, { recursive: true }))

let bank: TenantFixture
let other: TenantFixture
const parts = async () =>
  (await owner<{ name: string }>('select name from app.events_parts() order by ends_at')).map(({ name }) => name)
const count = async (text: string, values: unknown[] = []) =>
  (await owner<{ n: number }>(`select count(*)::int as n from ${text}`, values))[0]!.n
const linesOf = async (name: string) => {
  const lines: Record<string, any>[] = []
  for await (const line of readLines(bank.tenant.id, await fileOf(db.reader(bank.tenant.id), name)))
    lines.push(JSON.parse(line))
  return lines
}

beforeAll(async () => {
  await useStorage({ s3: undefined, dataDir })
  ;[bank, other] = [await aTenant(owner), await aTenant(owner)]
  // The log began three years ago; what ended two years ago is its first part.
  await owner(`alter table events detach partition events_beginning;
    do $$ declare ends timestamptz := app.half_year(now() - interval '2 years'); begin
      execute format('alter table events attach partition events_beginning for values from (minvalue) to (%L)', ends);
      perform app.reopen_events(ends, now());
    end $$`)
  for (const { tenant, sites, queues, services } of [bank, other]) {
    await owner(
      `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank,
         entered_at, called_at, started_at, ended_at, created_at)
       select $1, $2, $3, $4, at::date, $3, at::date, n, 'A' || n, 'kiosk', 'terminé', n, at, at, at, at + interval '1 minute', at
       from generate_series(1, 2500) n cross join lateral (select date_trunc('month', now()) - interval '35 months' + n * interval '20 minutes' as at) x`,
      [tenant.id, sites[0]!.id, queues[0]!.id, services[0]!.id],
    )
    await owner(
      `insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, entered_at, called_at, started_at, ended_at, ended_by)
       select tenant_id, id, 1, queue_id, entered_at, called_at, started_at, ended_at, status from tickets where tenant_id = $1`,
      [tenant.id],
    )
    await owner(
      `insert into events (tenant_id, site_id, "offset", type, at, actor, queue_id, ticket_id, data)
       select tenant_id, site_id, row_number() over (order by id), 'ticket.completed', ended_at, 'user:1', queue_id, id,
         '{"from": "en_service", "reason": "son fils Canari attend", "ticket": {"number": "A1", "labels": ["Canari"], "needs": [], "customer_id": 7}}'
       from tickets where tenant_id = $1`,
      [tenant.id],
    )
    await owner(
      `insert into streams (tenant_id, site_id, last_offset) values ($1, $2, 2500)
      on conflict (tenant_id, site_id) do update set last_offset = 2500`,
      [tenant.id, sites[0]!.id],
    )
  }
})

test('who follows the log looks into its recent parts only, and loses nothing of a clock that was set back', async () => {
  const { tenant, admin, sites, queues } = await aTenant(owner)
  const site = sites[0]!.id
  const mine = run(admin, tenant)
  await mine('webhooks.create', { url: 'https://example.org/', events: ['ticket.*'] })
  await owner(`update webhooks set since = now() - interval '4 years' where tenant_id = $1`, [tenant.id])
  const took = async () => mine('tickets.take', { queue_id: queues[0]!.id, channel: 'kiosk' })
  const takeIn = () =>
    takeInAll(db, (error) => {
      throw error
    })
  await took()
  expect(await takeIn()).toBe(1)
  const place = await db
    .reader(tenant.id)
    .one<{ offset: number; at: string }>('select "offset", at from webhook_cursors where site_id = $1', [site])

  const plan = (text: string, values: unknown[]) =>
    db.tenant(tenant.id, async (tx) => JSON.stringify(await tx.query(`explain ${text}`, values)))
  const since = dayBefore(place.at)
  for (const [text, values] of [
    [ofNotifications, [site, place.offset]],
    [ofSearch, [site, place.offset]],
    [ofEstimates, [site, place.offset]],
    [ofWebhooks, [site, place.offset, 'x']],
  ] as const) {
    const rest = text === ofWebhooks ? [0] : []
    expect(await plan(text, [...values, since, ...rest])).not.toContain('events_beginning')
    // Control: from the beginning on, every part is searched.
    expect(await plan(text, [...values, '-infinity', ...rest])).toContain('events_beginning')
  }

  // Of three events one lies in the oldest part.
  const last = place.offset + 3
  for (let i = 0; i < 3; i++) await took()
  await owner(
    `update events set at = at - interval '3 years' where tenant_id = $1 and site_id = $2 and "offset" = $3`,
    [tenant.id, site, last - 1],
  )
  // Control: since a day before the last one seen, there are two.
  expect(
    await count('events where tenant_id = $1 and site_id = $2 and "offset" > $3 and at >= $4', [
      tenant.id,
      site,
      place.offset,
      since,
    ]),
  ).toBe(2)
  expect(await takeIn()).toBe(3)
  expect(await count('webhook_deliveries where tenant_id = $1', [tenant.id])).toBe(4)
  expect(await takeIn()).toBe(0)
  // All else that is told here is of the past.
  for (const gone of ['delete from webhook_deliveries', 'delete from events', 'update streams set last_offset = 0'])
    await owner(`${gone} where tenant_id = $1`, [tenant.id])
})

test('a part is not dropped while it is young, or while rows of anybody are in no file', async () => {
  const young = (await parts()).at(-1)!
  const drop = (name: string) => db.platform((tx) => tx.query('select app.drop_events_part($1)', [name]))
  await expect(drop(young)).rejects.toMatchObject({ code: '55000' })
  await expect(drop('events_beginning')).rejects.toThrow('no file')
  await expect(drop('tickets')).rejects.toMatchObject({ code: '55000' })
  expect(await count('events where tenant_id = any($1)', [[bank.tenant.id, other.tenant.id]])).toBe(5000)
})

test('an old part goes whole into a file of each organisation, without what people typed, and comes back as it was', async () => {
  const before = await parts()
  const kept = `select to_jsonb(e) as row from events e where tenant_id = $1 order by "offset"`
  const rows = await owner<{ row: Record<string, any> }>(kept, [bank.tenant.id])
  const dropped = await dropOldParts(db, DAYS)
  expect(dropped[0]).toBe('events_beginning')
  expect(await parts()).toEqual(before.filter((name) => !dropped.includes(name)))
  expect(await count('events')).toBe(0)
  expect(await filesOf(db.reader(other.tenant.id))).toContainEqual(
    expect.objectContaining({ name: 'events_beginning', row_count: 2500, kept_until: null }),
  )
  const lines = await linesOf('events_beginning')
  expect(JSON.stringify(lines)).not.toContain('Canari')
  const [{ row }] = rows as [{ row: Record<string, any> }]
  const { reason: _, ...data } = row['data']
  expect(lines[0]).toEqual({ ...row, data: { ...data, ticket: { ...data.ticket, labels: [], customer_id: null } } })

  expect(await restoreArchive(db, bank.tenant.id, 'events_beginning')).toBe(2500)
  expect((await owner<{ row: object }>(kept, [bank.tenant.id])).map((each) => each.row)).toEqual(lines)
  expect(await count('events_elsewhere')).toBe(0)
  // Whoever brought it back looks at it: nothing goes meanwhile.
  expect(await dropOldParts(db, DAYS)).toEqual([])
  expect(await restoreArchive(db, bank.tenant.id, 'events_beginning')).toBe(2500)
  expect(await count('events')).toBe(2500)
  await owner('update archive_files set kept_until = null')
  expect((await dropOldParts(db, DAYS)).length).toBeGreaterThan(0)
})

test('offsets go on without a gap, and who asks for what is gone is told to begin anew', async () => {
  const site = bank.sites[0]!.id
  const mine = run(bank.admin, bank.tenant)
  await mine('tickets.take', { queue_id: bank.queues[0]!.id, channel: 'kiosk' })
  expect(
    await owner('select "offset"::int as "offset" from events where tenant_id = $1 and site_id = $2', [
      bank.tenant.id,
      site,
    ]),
  ).toEqual([{ offset: 2501 }])
  const { encodePlaces } = await import('../webhooks/log.ts')
  const { createHash } = await import('node:crypto')
  const at = async ({ tenant, sites: [first] }: TenantFixture, offset: number) => {
    const [{ epoch }] = (await owner<{ epoch: string }>(
      'select epoch from streams where tenant_id = $1 and site_id = $2',
      [tenant.id, first!.id],
    )) as [{ epoch: string }]
    return encodePlaces([
      { site_id: first!.id, offset, mark: createHash('sha256').update(epoch).digest('hex').slice(0, 6) },
    ])
  }
  await expect(mine('events.list', { after: await at(bank, 10) })).rejects.toMatchObject({ code: 'log_restarted' })
  expect((await mine('events.list', { after: await at(bank, 2500) })).results).toHaveLength(1)
  // Also where nothing has happened since.
  await expect(run(other.admin, other.tenant)('events.list', { after: await at(other, 10) })).rejects.toMatchObject({
    code: 'log_restarted',
  })
})

test('visits of a month leave for a file once nobody of them is known, and come back as they were', async () => {
  const { tenant } = bank
  const old = `tickets t where tenant_id = ${tenant.id} and ended_at is not null`
  const rows = await owner<{ row: Record<string, any>; legs: object }>(
    `select to_jsonb(t) as row, (select to_jsonb(l) from ticket_legs l where l.tenant_id = t.tenant_id and l.ticket_id = t.id) as legs from ${old} order by id`,
  )
  await owner(`update tickets set token_hash = '\\x01' where id = (select min(id) from ${old})`)
  expect(await archiveTickets(db, tenant.id, DAYS)).toEqual([])
  await owner(`update tickets set token_hash = null where token_hash = '\\x01'`)
  const names = await archiveTickets(db, tenant.id, DAYS)
  expect(names).toHaveLength(2)
  expect(await count(old)).toBe(0)
  expect(await count('ticket_legs where tenant_id = $1', [tenant.id])).toBe(0)
  expect(await count('tickets where tenant_id = $1', [other.tenant.id])).toBe(2500)
  // The organisation keeps data for longer.
  await owner('update tenants set data_retention_days = 2000 where id = $1', [other.tenant.id])
  expect(await archiveTickets(db, other.tenant.id, DAYS)).toEqual([])

  for (const name of names) await restoreArchive(db, tenant.id, name)
  expect(
    await owner(
      `select to_jsonb(t) as row, (select to_jsonb(l) from ticket_legs l where l.tenant_id = t.tenant_id and l.ticket_id = t.id) as legs from ${old} order by id`,
    ),
  ).toEqual(rows)
  expect(await archiveTickets(db, tenant.id, DAYS)).toEqual([])

  const path = join(dataDir, 'media', 'archive', String(tenant.id), `${names[0]}.jsonl.gz`)
  writeFileSync(path, 'not what was written')
  await expect(restoreArchive(db, tenant.id, names[0]!)).rejects.toThrow()
})

test('rows of times for which nobody made a part move into it when it is made', async () => {
  await owner(
    `insert into events (tenant_id, site_id, "offset", type, at, actor, data) values ($1, 0, 1, 'test.done', now() + interval '17 months', 'system', '{}')`,
    [other.tenant.id],
  )
  expect(await count('events_elsewhere')).toBe(1)
  expect(
    (await db.platform((tx) => tx.query<{ made: number }>('select app.make_events_parts(4) as made')))[0]!.made,
  ).toBe(3)
  expect([await count('events_elsewhere'), await count('events where site_id = 0')]).toEqual([0, 1])
})

test('the log of the version before becomes the first part; a row beyond its end is seen by the owner whom the walls hold', async () => {
  const { directUrl } = inject('testServer')
  const admin = await connectDirect(databaseUrl(directUrl, 'postgres'))
  const name = `parts_${process.pid}`
  await admin.query(`create database ${name} template template0`)
  const direct = await connectDirect(databaseUrl(directUrl, name))
  try {
    await migrate(databaseUrl(directUrl, name), MIGRATIONS, 96 - 1)
    await direct.query(`insert into tenants (slug, name) values ('bank', 'Bank');
      insert into streams (tenant_id, site_id, last_offset) values (1, 1, 2);
      insert into events (tenant_id, site_id, "offset", type, at, actor, data) values
        (1, 1, 1, 'test.done', now(), 'system', '{}'), (1, 1, 2, 'test.done', now() + interval '9 months', 'system', '{}')`)
    await expect(migrate(databaseUrl(directUrl, name), MIGRATIONS)).rejects.toThrow('events_beginning_ends')
    await direct.query(`update events set at = now() where "offset" = 2`)
    await migrate(databaseUrl(directUrl, name), MIGRATIONS)
    expect(
      await direct.query('select tableoid::regclass::text as part, "offset"::int as "offset" from events order by 2'),
    ).toEqual([
      { part: 'events_beginning', offset: 1 },
      { part: 'events_beginning', offset: 2 },
    ])
    expect(await direct.query(`select name from app.events_parts()`)).toHaveLength(1)
  } finally {
    await direct.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  }
})
