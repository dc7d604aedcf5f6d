import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { inflateSync } from 'node:zlib'
import readXlsx from 'read-excel-file/node'
import { SMTPServer } from 'smtp-server'
import { expect, test } from 'vitest'
import { useMail } from '../../../kernel/mail/index.ts'
import { aTenant } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { whenOver } from '../../../test/when-over.ts'
import { jobs, operations } from '../index.ts'
import { reportedPeriod } from './jobs.ts'
import { visualRuns } from '../../../kernel/pdf.ts'

const { db, owner } = await testDatabase()
const runtime = testRuntime(db)
const { tenant, supervisor, admin, sites, queues } = await aTenant(owner)
const run = caller(runtime, operations)(supervisor, tenant)
const context = { runtime, tenants: async () => [tenant] }
const job = (name: string) => jobs.find((each) => each.name === name)!

interface Received {
  to: string[]
  data: string
}
const received: Received[] = []
const server = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  onData(stream, session, done) {
    let data = ''
    stream.setEncoding('latin1').on('data', (chunk: string) => (data += chunk))
    stream.on('end', () => {
      received.push({ to: session.envelope.rcptTo.map(({ address }) => address), data })
      done()
    })
  },
})
server.listen(0, '127.0.0.1')
await once(server.server, 'listening')
useMail({
  smtpUrl: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
  from: 'SmartQueue <queue@example.org>',
})
whenOver(async () => {
  useMail({ smtpUrl: undefined, from: '' })
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

const [{ day } = { day: '' }] = await owner<{ day: string }>(
  `select (now() at time zone 'Europe/Paris')::date::text as day`,
)
const monday = Temporal.PlainDate.from(day).subtract({ days: Temporal.PlainDate.from(day).dayOfWeek - 1 })
// Last week's Tuesday, ten people.
await owner(
  `with t as (
     insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank,
       entered_at, called_at, started_at, ended_at, created_at)
     select $1, q.site_id, q.id, q.service_id, $3::date, q.id, $3::date, n, 'A' || n, 'kiosk', 'terminé', n,
       at, at + n * interval '1 minute', at + interval '20 minutes', at + interval '25 minutes', at
     from generate_series(1, 10) n join queues q on q.tenant_id = $1 and q.id = $2
     cross join lateral (select ($3::date + time '10:00' + n * interval '1 minute') at time zone 'Europe/Paris' as at) a returning *)
   insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, entered_at, called_at, started_at, ended_at, ended_by)
   select tenant_id, id, 1, queue_id, entered_at, called_at, started_at, ended_at, status from t`,
  [tenant.id, queues[0]!.id, monday.subtract({ days: 6 }).toString()],
)
await caller(runtime, operations)(admin, tenant)('analytics.aggregate', {
  from: monday.subtract({ days: 7 }).toString(),
  to: day,
})

/** Files of a message, by their type. */
function attachments({ data }: Received): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const part of data.split(/\r?\n--[-\w=]+/)) {
    const [, type] = /content-type:\s+([\w./-]+)/i.exec(part) ?? []
    const body = part
      .split(/\r?\n\r?\n/)
      .slice(1)
      .join('')
    if (type && /content-disposition: attachment/i.test(part)) files.set(type, Buffer.from(body, 'base64'))
  }
  return files
}
/** Everything drawn on the pages, as PDF operators. */
const drawn = (pdf: Buffer) =>
  [...pdf.toString('latin1').matchAll(/stream\r?\n([^]*?)\r?\nendstream/g)]
    .map(([, body]) => {
      try {
        return inflateSync(Buffer.from(body!, 'latin1')).toString('latin1')
      } catch {
        return ''
      }
    })
    .join('\n')

test.each(['fr', 'en', 'ar'] as const)(
  'the week before comes by e-mail to each recipient, as PDF and table: %s',
  async (locale) => {
    received.length = 0
    const { id } = await run('scheduled-reports.create', {
      name: locale === 'ar' ? 'تقرير الأسبوع' : 'Week',
      site_id: sites[0]!.id,
      frequency: 'weekly',
      recipients: ['a@example.org', 'b@example.org'],
      locale,
    })
    await job('analytics.due_reports').run(context, { tenant_id: tenant.id, day: monday.toString() })
    // Added once, however often the night looks.
    await job('analytics.due_reports').run(context, { tenant_id: tenant.id, day: monday.toString() })
    const waiting = await owner<{ payload: Record<string, unknown> }>(
      `select payload from graphile_worker._private_jobs where payload ->> 'report_id' = $1 order by id`,
      [String(id)],
    )
    expect(waiting).toHaveLength(2)
    for (const { payload } of waiting) await job('analytics.send_report').run(context, payload)
    expect(received.map(({ to }) => to)).toEqual([['a@example.org'], ['b@example.org']])
    const files = attachments(received[0]!)
    const pdf = files.get('application/pdf')!
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    expect(drawn(pdf)).toMatch(/T[jJ]/)
    const [sheet] = await readXlsx(files.get('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')!)
    const [head, row] = sheet!.data
    expect(row![head!.indexOf('arrivals')]).toBe(10)
    expect(row![head!.indexOf('p50_wait_time')]).toBe(300)
    await run('scheduled-reports.delete', { id })
  },
)

test('a report tells of the seven days or the calendar month before', () => {
  expect(reportedPeriod('weekly', '2026-03-02')).toEqual({ from: '2026-02-23', to: '2026-03-01' })
  expect(reportedPeriod('monthly', '2026-03-05')).toEqual({ from: '2026-02-01', to: '2026-02-28' })
  expect(reportedPeriod('monthly', '2026-01-01')).toEqual({ from: '2025-12-01', to: '2025-12-31' })
})

test('only its own day brings a report, and one that is switched off none', async () => {
  const { id } = await run('scheduled-reports.create', {
    name: 'M',
    frequency: 'monthly',
    day: 5,
    recipients: ['a@example.org'],
  })
  const due = async (on: string) => {
    await owner(`delete from graphile_worker._private_jobs where payload ->> 'report_id' = $1`, [String(id)])
    await job('analytics.due_reports').run(context, { tenant_id: tenant.id, day: on })
    return (await owner(`select 1 from graphile_worker._private_jobs where payload ->> 'report_id' = $1`, [String(id)]))
      .length
  }
  expect([await due('2026-03-04'), await due('2026-03-05')]).toEqual([0, 1])
  await run('scheduled-reports.update', { id, is_active: false })
  expect(await due('2026-03-05')).toBe(0)
  await expect(
    run('scheduled-reports.create', { name: 'W', frequency: 'weekly', day: 8, recipients: ['a@example.org'] }),
  ).rejects.toMatchObject({ code: 'invalid_input' })
  expect(await run('scheduled-reports.send', { id })).toEqual({ recipients: 1 })
})

test('lines that hold Arabic, figures and Latin stand in the order of the Unicode algorithm', () => {
  expect(visualRuns('Attente 12 min', false)).toEqual([{ text: 'Attente 12 min', script: 'latin' }])
  const words = visualRuns('من 12 إلى', true).map(({ text }) => text.trim())
  expect(words.filter(Boolean)).toEqual(['إلى', '12', 'من'])
  expect(visualRuns('تقرير Demo Bank', true).map(({ text }) => text)).toEqual(['Demo Bank', ' ', 'تقرير'])
  expect(visualRuns('خذوا رقمكم', true).map(({ text }) => text)).toEqual(['رقمكم', ' ', 'خذوا'])
  // Drawn as it was typed, it would be read from the wrong end.
  expect(
    visualRuns('من 12 إلى', true)
      .map(({ text }) => text)
      .join(''),
  ).not.toBe('من 12 إلى')
})
