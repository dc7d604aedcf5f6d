import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { TObject, TSchema } from 'typebox'
import { startJobs } from '../../app.ts'
import type { Actor } from '../../kernel/access.ts'
import { createLogger } from '../../kernel/log.ts'
import { startApp } from '../../test/app.ts'
import type { TenantFixture } from '../../test/factories.ts'
import { caller } from '../../test/runtime.ts'
import { whenOver } from '../../test/when-over.ts'
import { jobs, operations } from '../index.ts'
import { visitorOf } from '../tickets/index.ts'
import { columnsOf, REGISTRY, registryFaults } from './index.ts'

const directory = mkdtempSync(join(tmpdir(), 'sq-privacy-'))
whenOver(() => rmSync(directory, { recursive: true }))
const lines: string[] = []
const logger = createLogger({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } })
const server = await startApp({ DATA_DIR: directory }, { logger })
const { owner, runtime } = server
const as = caller(runtime, operations)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    ({ code }: { code: string }) => code,
  )

const NAME = 'Zéphyrine Canaribois'
const PHONE = '+33612987654'
const EMAIL = 'zephyrine@canari.example'
const TEXT = `dit ${NAME}, ${PHONE}, ${EMAIL}`
const CANARIES = ['Canaribois', 'Zéphyrine', '612987654', 'zephyrine', 'canari.example']
const customer = { name: NAME, phone: PHONE, email: EMAIL }

/** Where a canary stands: every row of every table, every file of the data folder, every line of the log. */
async function found(): Promise<string[]> {
  const tables = await owner<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('public', 'graphile_worker') order by 1`,
  )
  const holds = (text: string) => CANARIES.some((each) => text.toLowerCase().includes(each.toLowerCase()))
  const places: string[] = []
  for (const { name } of tables) {
    const rows = await owner<{ row: string }>(`select t::text as row from ${name} t`)
    if (rows.some(({ row }) => holds(row))) places.push(name)
  }
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, file)
    if (statSync(path).isFile() && holds(readFileSync(path, 'latin1'))) places.push(`file ${file}`)
  }
  if (lines.some(holds)) places.push('log')
  return places
}

let bank: TenantFixture
let run: ReturnType<typeof as>
let program: typeof run
let queue_id: number
beforeAll(async () => {
  bank = await server.aTenant({ slug: 'canary', queues: 2 })
  run = as(bank.admin, bank.tenant)
  program = as(bank.system, bank.tenant)
  queue_id = bank.queues[0]!.id
  await owner(`update tenants set take_challenge = 'never'`)
  await run('notification-rules.create', { queue_id, event: 'called', channels: ['sms', 'email'] })
  await run('booking-settings.create', { queue_id, lead_seconds: 0, capacity: 10, confirmation: 'email' })
})

/** Operations that take something of a visitor, by what plants a canary there. */
const PLANTED = new Set([
  'customers.create',
  'customers.update',
  'tickets.take',
  'tickets.update',
  'tickets.next',
  'tickets.hold',
  'tickets.complete',
  'tickets.noShow',
  'tickets.return',
  'tickets.transfer',
  'tickets.cancel',
  'tickets.move',
  'tickets.leave',
  'tickets.rate',
  'appointments.book',
  'appointments.cancel',
  'appointments.cancelMine',
  'appointments.bookSeries',
  'appointments.cancelSeries',
  'appointments.bookSeveral',
  'waiting-list.join',
  'messages.send',
  'messages.broadcast',
  'messages.receive',
  'messages.write',
])
/** Their words are about the organisation, its places, its staff or its settings. */
const OF_THE_HOUSE =
  /^(tenants|switches|setup|auth|passkeys|invitations|users|api-keys|devices|sites|services|counters|queues|queue-rules|agents|work-profiles|agent-hours|calendar-feeds|displays|playlists|ar-markers|voice-clips|kiosks|templates|webhooks|calendars|media|reports|scheduled-reports|privacy)\./
const WORDS = /^(name|phone|email|customer|note|fields|comment|text|body|needs|labels|reason|external_id|device_id)$/
function takesWords(schema: TSchema): boolean {
  const { properties = {}, anyOf = [], items } = schema as Partial<TObject> & { anyOf?: TSchema[]; items?: TSchema }
  return (
    Object.entries(properties).some(
      ([name, each]) => (WORDS.test(name) && (each as { type?: string }).type !== 'boolean') || takesWords(each),
    ) ||
    anyOf.some(takesWords) ||
    (items !== undefined && takesWords(items))
  )
}

test('every operation that takes words about a visitor plants a canary below, or is about the house', () => {
  const unknown = operations
    .filter(({ id, kind, input }) => kind === 'mutation' && !OF_THE_HOUSE.test(id) && takesWords(input))
    .map(({ id }) => id)
    .filter((id) => !PLANTED.has(id))
  expect(unknown).toEqual([])
})

/** Plants the canary everywhere; answers the customer. */
async function plant(): Promise<number> {
  const agent_id = bank.agents[0]!.id
  const take = (more: object = {}) =>
    run(
      'tickets.take',
      {
        queue_id,
        channel: 'reception',
        customer,
        note: TEXT,
        labels: [NAME],
        needs: [NAME],
        fields: { who: TEXT },
        ...more,
      },
      { key: `take-${Math.random()}` },
    )
  const finish = async (id: number) => {
    await run('tickets.call', { id, agent_id })
    await run('tickets.start', { id })
    await run('tickets.complete', { id, fields: { who: TEXT } })
  }
  const { id: customerId } = await run(
    'customers.create',
    { ...customer, note: TEXT, external_id: NAME },
    { key: 'create-key' },
  )
  await run('customers.update', { id: customerId, note: `${TEXT} encore`, consents: { sms: true, email: true } }, {})

  const first = await take()
  const me = as((await visitorOf(server.db, first.public_token)) as Actor, bank.tenant)
  await run('messages.send', { ticket_id: first.id, body: TEXT })
  await run('messages.broadcast', { site_id: bank.sites[0]!.id, text: { fr: TEXT } })
  await me('messages.write', { body: TEXT })
  await run('tickets.move', { id: first.id, after_id: null, reason: TEXT })
  await run('tickets.call', { id: first.id, agent_id })
  await run('tickets.start', { id: first.id })
  await run('tickets.hold', { id: first.id, reason: TEXT })
  await run('tickets.resume', { id: first.id })
  await run('tickets.return', { id: first.id, position: 'first', reason: TEXT })
  await run('tickets.transfer', { id: first.id, queue_id: bank.queues[1]!.id, reason: TEXT })
  await run('tickets.update', { id: first.id, customer, note: TEXT })
  await finish(first.id)
  await me('tickets.rate', { rating: 5, comment: TEXT })

  const second = await take()
  await run('tickets.cancel', { id: second.id, reason: TEXT })
  const third = await take()
  await run('tickets.call', { id: third.id, agent_id })
  await run('tickets.noShow', { id: third.id, reason: TEXT })
  const fourth = await take()
  await as((await visitorOf(server.db, fourth.public_token)) as Actor, bank.tenant)('tickets.leave', { reason: TEXT })
  const fifth = await take()
  await run('tickets.call', { id: fifth.id, agent_id })
  await run('tickets.start', { id: fifth.id })
  await run('tickets.next', { id: agent_id, ticket_id: fifth.id, fields: { who: TEXT } })
  // Over HTTP, as a stranger: the log has the request.
  const { statusCode } = await server.app.inject({
    method: 'POST',
    url: '/public/canary/tickets/',
    headers: { 'idempotency-key': 'a-key-that-nobody-guesses' },
    payload: { queue_id, channel: 'web', customer, fields: { who: TEXT }, device_id: 'device-of-the-canary' },
  })
  expect(statusCode).toBe(201)
  const [stranger] = await owner<{ id: number }>(
    `select id from tickets where status = 'en_attente' and tenant_id = $1`,
    [bank.tenant.id],
  )
  await finish(stranger!.id)

  const [{ morning } = { morning: '' }] = await owner<{ morning: string }>(
    `select to_char(now() at time zone 'utc' + interval '2 days', 'YYYY-MM-DD"T09:00:00Z"') as morning`,
  )
  const at = (hours: number) => Temporal.Instant.from(morning).add({ hours }).toString()
  const anonymous = as(bank.anonymous, bank.tenant)
  const booked = await anonymous('appointments.book', { queue_id, start_at: at(1), customer, note: TEXT })
  await anonymous('appointments.cancelMine', { link: booked.public_token, reason: TEXT })
  const atDesk = await run('appointments.book', { queue_id, start_at: at(2), customer_id: customerId, note: TEXT })
  await run('appointments.cancel', { id: atDesk.id, reason: TEXT })
  const series = await run('appointments.bookSeries', {
    queue_id,
    start_at: at(3),
    rule: 'FREQ=DAILY;COUNT=2',
    customer_id: customerId,
    note: TEXT,
  })
  await run('appointments.cancelSeries', { id: series.appointments[0].id, reason: TEXT })
  await run('booking-settings.create', { queue_id: bank.queues[1]!.id, lead_seconds: 0, capacity: 10 })
  const queue_ids = bank.queues.map(({ id }) => id)
  const several = await run('appointments.bookSeveral', {
    queue_ids,
    start_at: at(5),
    customer_id: customerId,
    note: TEXT,
  })
  for (const { id } of several.appointments) await run('appointments.cancel', { id, reason: TEXT })
  await owner(`update booking_settings set capacity = 1 where queue_id = $1`, [queue_id])
  await run('sites.update', { id: bank.sites[0]!.id, opening_hours: { weekly: {} } })
  const day = at(0).slice(0, 10)
  await anonymous('waiting-list.join', { queue_id, from_day: day, to_day: day, customer })
  await run('sites.update', { id: bank.sites[0]!.id, opening_hours: null })
  await owner(
    `insert into push_subscriptions (tenant_id, ticket_id, endpoint, p256dh, auth, locale) values ($1, $2, $3, 'p', 'a', 'fr')`,
    [bank.tenant.id, first.id, `https://push.example/${EMAIL}`],
  )

  // As an import leaves it.
  await owner(
    `with i as (insert into imports (tenant_id, kind, rows_total, requested_by, actor) values ($1, 'customers', 1, 'user:1', '{}') returning id)
     insert into import_rows (tenant_id, import_id, line, input, target_id) select $1, id, 2, $2, $3 from i`,
    [bank.tenant.id, JSON.stringify({ name: NAME, phone: '06 12 98 76 54', email: EMAIL }), customerId],
  )

  // What waits is sent, and answered.
  const worker = await startJobs(server, logger)
  const sent = () => owner('select 1 from outbox_messages where recipient in ($1, $2)', [PHONE, EMAIL])
  await expect.poll(async () => (await sent()).length).toBeGreaterThan(1)
  await worker.stop()
  const [message] = await owner<{ id: number }>(
    `select id from messages where direction = 'out' and channel = 'sms' limit 1`,
  )
  await program('messages.receive', { id: message!.id, text: TEXT, provider_id: 'SM1' })
  await program('messages.receive', { id: message!.id, text: 'STOP', provider_id: 'SM2' })
  return customerId
}

test('a person is found, handed out and forgotten everywhere: no canary is left in any table, file or line of the log', async () => {
  const customerId = await plant()
  const planted = await found()
  // The control: the search finds what is there.
  for (const table of [
    'customers',
    'tickets',
    'messages',
    'appointments',
    'events',
    'outbox_messages',
    'idempotency_keys',
  ])
    expect(planted).toContain(`public.${table}`)

  const { persons } = await run('privacy.find', { phone: '06 12 98 76 54' })
  expect(persons).toMatchObject([{ customer_id: customerId, name: NAME, email: EMAIL, waiting: 1 }])
  expect(await run('privacy.find', { name: 'canarib' })).toMatchObject({ persons: [{ customer_id: customerId }] })
  const out = await run('privacy.export', { id: customerId })
  expect(out.customer).toMatchObject({ name: NAME, phone: PHONE })
  expect([out.tickets.length, out.appointments.length]).toEqual([persons[0].tickets, persons[0].appointments])
  expect(out.messages.length).toBeGreaterThan(2)
  expect(out.opt_outs.map(({ channel }: { channel: string }) => channel).toSorted()).toEqual(['sms', 'whatsapp'])
  expect(JSON.stringify(out)).not.toMatch(/token_hash|device_key/)
  const { results } = await run('privacy.consents', { id: customerId })
  expect(results.map(({ purpose }: { purpose: string }) => purpose).toSorted()).toEqual(['email', 'sms'])

  const before = await owner<{ n: number; served: number }>(
    `select count(*)::int as n, sum(extract(epoch from ended_at - created_at))::float8 as served from tickets where tenant_id = $1`,
    [bank.tenant.id],
  )
  const { tickets } = await run('privacy.erase', { id: customerId })
  expect(tickets).toBe(persons[0].tickets)
  expect(await found()).toEqual([])
  // Statistics stay, and so does the proof of what was agreed to, by number.
  expect(
    await owner(
      `select count(*)::int as n, sum(extract(epoch from ended_at - created_at))::float8 as served from tickets where tenant_id = $1`,
      [bank.tenant.id],
    ),
  ).toEqual(before)
  expect((await run('privacy.consents', { id: customerId })).results).toHaveLength(2)
  expect(await codeOf(run('privacy.export', { id: customerId }))).toBe('not_found')
  const audit = await owner<{ operation: string }>(
    `select operation from audit_entries where tenant_id = $1 and subject = $2 order by seq`,
    [bank.tenant.id, `customer:${customerId}`],
  )
  expect(audit.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['privacy.export', 'privacy.erase']))
  const [{ faults } = { faults: 0 }] = await owner<{ faults: number }>(
    `select count(*)::int as faults from audit_entries where details::text ilike '%canari%'`,
  )
  expect(faults).toBe(0)
  // Who said stop is left alone also when they come back.
  const again = await run('customers.create', { name: 'Back again', phone: '+33600000001' })
  expect(again.id).not.toBe(customerId)
  const [optOut] = await owner<{ address: string }>(
    'select address from message_opt_outs where tenant_id = $1 limit 1',
    [bank.tenant.id],
  )
  expect(optOut!.address).toMatch(/^sha256:/)
})

test('the control: deleting a customer alone leaves the person in many places', async () => {
  const { id } = await run('customers.create', customer)
  const ticket = await run('tickets.take', { queue_id, channel: 'reception', customer_id: id, note: TEXT })
  await run('tickets.cancel', { id: ticket.id, reason: TEXT })
  expect(await codeOf(run('customers.delete', { id }))).toBe('in_use')
  await run('privacy.erase', { id })
  expect(await found()).toEqual([])
})

test('nobody is forgotten in the middle of a visit, and other organisations know nothing', async () => {
  const { id } = await run('customers.create', { name: 'Samira', phone: '+33612345678' })
  const ticket = await run('tickets.take', { queue_id, channel: 'reception', customer_id: id })
  expect(await codeOf(run('privacy.erase', { id }))).toBe('visit_open')
  const elsewhere = await server.aTenant({ slug: 'elsewhere' })
  const other = as(elsewhere.admin, elsewhere.tenant)
  for (const op of ['privacy.erase', 'privacy.export']) expect(await codeOf(other(op, { id }))).toBe('not_found')
  expect((await other('privacy.find', { phone: '+33612345678' })).persons).toEqual([])
  await run('tickets.cancel', { id: ticket.id })
  expect(await run('privacy.erase', { id })).toEqual({ tickets: 1 })
})

test('every night who was here too long ago is forgotten, to the organisation’s own midnight, and visits stay', async () => {
  const old = await server.aTenant({ slug: 'old', timezone: 'America/Sao_Paulo' })
  const desk = as(old.supervisor, old.tenant)
  await owner(`update tenants set data_retention_days = 30 where id = $1`, [old.tenant.id])
  const visit = async (n: number, age: string) => {
    const phone = `+3361234900${n}`
    const ticket = await desk('tickets.take', {
      queue_id: old.queues[0]!.id,
      channel: 'reception',
      customer: { phone },
      note: 'x',
    })
    await desk('tickets.cancel', { id: ticket.id, reason: 'y' })
    await owner(
      `update tickets set ended_at = date_trunc('day', now() at time zone 'America/Sao_Paulo') at time zone 'America/Sao_Paulo' - ($2::text)::interval
       where id = $1`,
      [ticket.id, age],
    )
    await owner(`update customers set updated_at = (select ended_at from tickets where id = $2) where id = $1`, [
      ticket.customer_id,
      ticket.id,
    ])
    return ticket
  }
  const gone = await visit(1, '30 days 1 second')
  const kept = await visit(2, '29 days 23 hours')
  const job = jobs.find(({ name }) => name === 'privacy.retention')!
  await job.run({ runtime, tenants: async () => [old.tenant] }, { tenant_id: old.tenant.id })
  const rows = await owner<{ id: number; customer_id: number | null; note: string; status: string }>(
    'select id, customer_id, note, status from tickets where tenant_id = $1 order by id',
    [old.tenant.id],
  )
  expect(rows).toEqual([
    { id: gone.id, customer_id: null, note: '', status: 'annulé' },
    { id: kept.id, customer_id: kept.customer_id, note: 'x', status: 'annulé' },
  ])
  expect(await owner('select id from customers where tenant_id = $1', [old.tenant.id])).toEqual([
    { id: kept.customer_id },
  ])
  const reasons = await owner<{ ticket_id: number }>(
    `select ticket_id from events where tenant_id = $1 and data ? 'reason'`,
    [old.tenant.id],
  )
  expect(reasons).toEqual([{ ticket_id: kept.id }])
})

test('every change of a consent is on record, and only changes are', async () => {
  const { id } = await run('customers.create', { name: 'Karim', consents: { sms: true } })
  await run('customers.update', { id, name: 'Karim B.' })
  await run('customers.update', { id, consents: { sms: false, email: true } })
  await run('customers.update', { id, consents: {} })
  const log = await owner<{ purpose: string; is_given: boolean | null }>(
    'select purpose, is_given from consent_log where customer_id = $1 order by id',
    [id],
  )
  const of = (purpose: string) => log.filter((each) => each.purpose === purpose).map(({ is_given }) => is_given)
  expect([of('sms'), of('email')]).toEqual([
    [true, false, null],
    [true, null],
  ])
})

test('each column of each table says what it tells of a person; the control: a new one that says nothing is found', async () => {
  const columns = await owner<{ table: string; column: string }>(
    `select table_name as table, column_name as column from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name) where table_schema = 'public' and table_type = 'BASE TABLE'
       and not (select c.relispartition from pg_class c where c.oid = format('public.%I', table_name)::regclass)`,
  )
  expect(registryFaults(columns)).toEqual([])
  expect(registryFaults([...columns, { table: 'customers', column: 'birthday' }])).toEqual([
    expect.stringContaining('customers.birthday: say in'),
  ])
  expect(registryFaults(columns.filter(({ column }) => column !== 'external_id'))).toEqual([
    expect.stringContaining('customers.external_id: is in the registry and not'),
  ])
  // The schema file, which the checks read without a database, says the same.
  const file = columnsOf(readFileSync(new URL('../../../db/schema.sql', import.meta.url), 'utf8'))
  const sorted = (list: { table: string; column: string }[]) =>
    list.map((each) => `${each.table}.${each.column}`).toSorted()
  expect(sorted(file)).toEqual(sorted(columns))
  for (const { about, kept, personal } of Object.values(REGISTRY))
    if (personal && about !== 'nobody') expect(kept).toBeTruthy()
})
