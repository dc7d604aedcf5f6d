import { parse } from 'csv-parse/sync'
import { parquetReadObjects } from 'hyparquet'
import readXlsx from 'read-excel-file/node'
import { expect, test } from 'vitest'
import { startApp } from '../../../test/app.ts'
import { caller } from '../../../test/runtime.ts'
import { jobs, operations } from '../index.ts'
import { guarded } from './formats/csv.ts'
import { xlsx } from './formats/xlsx.ts'

const site = await startApp()
const fixture = await site.aTenant({ queues: 2, locale: 'ar' })
const { tenant, supervisor, queues } = fixture
const run = caller(site.runtime, operations)(supervisor, tenant)
const COUNT = 4321
await site.owner(`update queues set name = '=cmd|'' /C calc''!A0' where id = $1`, [queues[0]!.id])
await site.owner(
  `insert into tickets (tenant_id, site_id, queue_id, service_id, day, series_queue_id, series_day, serial, number, channel, status, rank,
     entered_at, called_at, started_at, ended_at, created_at, labels, rating)
   select $1, q.site_id, q.id, q.service_id, (at at time zone 'Europe/Paris')::date, q.id, '1970-01-01', n, 'A' || n, 'kiosk', 'terminé', n,
     at, at + interval '90 seconds', at + interval '2 minutes', at + interval '5 minutes', at,
     case when n % 7 = 0 then array['+vip', 'naïve "quoted", مرحبا'] else '{}' end, case when n % 3 = 0 then 4 end
   from generate_series(1, ${COUNT}) n join queues q on q.tenant_id = $1 and q.id = $2
   cross join lateral (select now() - interval '2 days' - n * interval '1 second' as at) a`,
  [tenant.id, queues[0]!.id],
)
await site.owner(
  `insert into ticket_legs (tenant_id, ticket_id, leg, queue_id, entered_at, called_at, started_at, ended_at, held_seconds, ended_by)
   select tenant_id, id, 1, queue_id, entered_at, called_at, started_at, ended_at, 30, status from tickets where tenant_id = $1`,
  [tenant.id],
)
const job = jobs.find(({ name }) => name === 'analytics.export')!
const context = { runtime: site.runtime, tenants: async () => [tenant] }
const base = await site.listen()

/** Asks for a file, lets the worker write it, and downloads it by its link. */
async function exported(
  input: Record<string, unknown>,
  locale = 'en',
): Promise<{ bytes: Buffer; type: string | null; row: any }> {
  const { id } = await run('exports.create', input)
  await site.owner('update exports set locale = $2 where id = $1', [id, locale])
  await job.run(context, { tenant_id: tenant.id, export_id: id })
  const row = await run('exports.get', { id })
  const { url } = await run('exports.link', { id })
  const answer = await fetch(base + new URL(url).pathname)
  expect(answer.status).toBe(200)
  const bytes = Buffer.from(await answer.arrayBuffer())
  expect(Number(answer.headers.get('content-length'))).toBe(bytes.length)
  return { bytes, type: answer.headers.get('content-type'), row }
}

test('CSV: every ticket once, and nothing that a spreadsheet would run', async () => {
  const { bytes, type, row } = await exported({ kind: 'tickets', format: 'csv' })
  expect(type).toBe('text/csv; charset=utf-8')
  expect(row).toMatchObject({ status: 'done', rows_done: COUNT, rows_total: COUNT, size_bytes: bytes.length })
  const rows = parse(bytes, { columns: true, bom: true }) as Record<string, string>[]
  expect(new Set(rows.map(({ id }) => id)).size).toBe(COUNT)
  expect(rows[0]).toMatchObject({
    queue: `'=cmd|' /C calc'!A0`,
    wait_seconds: '90',
    walk_seconds: '30',
    service_seconds: '150',
    held_seconds: '30',
  })
  const labelled = rows.find(({ labels }) => labels !== '')!
  expect(labelled['labels']).toBe(`'+vip, naïve "quoted", مرحبا`)
  expect(bytes.toString()).not.toMatch(/(^|,)"?[=+@]/m)
})

test.each([
  ['=1+1', `'=1+1`],
  ['+33', `'+33`],
  ['-2', `'-2`],
  ['@SUM(A1)', `'@SUM(A1)`],
  ['\t=1', `'\t'=1`],
  ['＝1', `'＝1`],
  [-2, -2],
  ['A=1', 'A=1'],
  // Where sheets are parted by semicolons, a cell begins behind one.
  ['a;=1+1', "a;'=1+1"],
  ['a; "=1+1";@x', 'a; "\'=1+1";\'@x'],
  ['a\r\n=1+1', "a\r\n'=1+1"],
  ['-a\t+1', "'-a\t'+1"],
  ['; 4-5', '; 4-5'],
  [null, null],
])('the cell %j becomes %j', (given, written) => expect(guarded(given)).toBe(written))

test('XLSX: read back by another library, as text, numbers and times; sheets of an Arabic reader run from the right', async () => {
  const { bytes } = await exported({ kind: 'tickets', format: 'xlsx' }, 'ar')
  const [sheet] = await readXlsx(bytes)
  expect(sheet!.sheet).toBe('التذاكر')
  const [head, ...rows] = sheet!.data
  expect(rows).toHaveLength(COUNT)
  const first = Object.fromEntries(head!.map((name, i) => [name, rows[0]![i]]))
  expect(first).toMatchObject({ queue: `=cmd|' /C calc'!A0`, wait_seconds: 90, channel: 'kiosk' })
  expect(first['created_at']).toBeInstanceOf(Date)
})

test('XLSX: what does not fit on a sheet goes on the next, whatever the pages are', async () => {
  const file = xlsx([{ name: 'n', type: 'integer' }], { title: 'Sheet/1', isRtl: false, sheetRows: 10 })
  const rows = Array.from({ length: 23 }, (_, n) => ({ n }))
  const pieces = [...file.rows(rows.slice(0, 7)), ...file.rows(rows.slice(7)), ...file.end()]
  const sheets = await readXlsx(Buffer.concat(pieces))
  expect(sheets.map(({ sheet, data }) => [sheet, data.length - 1])).toEqual([
    ['Sheet 1', 10],
    ['Sheet 1 2', 10],
    ['Sheet 1 3', 3],
  ])
  expect(sheets.flatMap(({ data }) => data.slice(1).flat())).toEqual(rows.map(({ n }) => n))
})

test('Parquet: typed columns, read back by another library', async () => {
  const { bytes, type } = await exported({ kind: 'tickets', format: 'parquet' })
  expect(type).toBe('application/vnd.apache.parquet')
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const rows = await parquetReadObjects({ file })
  expect(rows).toHaveLength(COUNT)
  expect(rows[0]).toMatchObject({ wait_seconds: 90n, channel: 'kiosk', agent_id: null })
  expect(rows[0]!['created_at']).toBeInstanceOf(Date)
  expect(new Set(rows.map((row) => row['id'])).size).toBe(COUNT)
})

test('metrics are exported as they are listed', async () => {
  const [{ from, to } = { from: '', to: '' }] = await site.owner<{ from: string; to: string }>(
    'select min(day)::text as from, max(day)::text as to from tickets where tenant_id = $1',
    [tenant.id],
  )
  await caller(site.runtime, operations)(fixture.admin, tenant)('analytics.aggregate', { from, to })
  const { bytes } = await exported({ kind: 'queue_metrics', format: 'csv', from, to })
  const rows = parse(bytes, { columns: true, bom: true }) as Record<string, string>[]
  const { results } = await run('analytics.queueMetrics', { from, to, ordering: 'date' })
  expect(
    rows.map(({ date, queue_id, arrivals, average_wait_time }) => ({
      date,
      queue_id: Number(queue_id),
      arrivals: Number(arrivals),
      average_wait_time: Number(average_wait_time),
    })),
  ).toEqual(
    results.map(({ date, queue_id, arrivals, average_wait_time }: any) => ({
      date,
      queue_id,
      arrivals,
      average_wait_time,
    })),
  )
})

test('a file is its requester’s own, its link ends, and a worker that was overtaken writes no more', async () => {
  const { id } = await run('exports.create', { kind: 'tickets', format: 'csv' })
  const asAdmin = caller(site.runtime, operations)(fixture.admin, tenant)
  await expect(asAdmin('exports.get', { id })).rejects.toMatchObject({ code: 'not_found' })
  await expect(run('exports.link', { id })).rejects.toMatchObject({ code: 'export_not_ready' })
  // Two workers, the first of which was thought dead.
  await Promise.all([1, 2].map(() => job.run(context, { tenant_id: tenant.id, export_id: id }).catch(() => {})))
  await job.run(context, { tenant_id: tenant.id, export_id: id })
  const { size_bytes, rows_done } = await run('exports.get', { id })
  const [{ stored } = { stored: 0 }] = await site.owner<{ stored: number }>(
    'select sum(length(bytes))::int as stored from export_chunks where export_id = $1',
    [id],
  )
  expect({ stored, rows_done }).toEqual({ stored: size_bytes, rows_done: COUNT })
  const { url } = await run('exports.link', { id })
  const path = new URL(url).pathname
  await site.owner(`update exports set token_expires_at = now() where id = $1`, [id])
  expect((await fetch(base + path)).status).toBe(404)
  expect((await fetch(`${base}/exports/1-${'x'.repeat(22)}`)).status).toBe(404)
  await run('exports.delete', { id })
  expect(await site.owner('select from export_chunks where export_id = $1', [id])).toEqual([])
})

test('no more than three are written at once', async () => {
  for (let i = 0; i < 3; i++) await run('exports.create', { kind: 'tickets', format: 'csv' })
  await expect(run('exports.create', { kind: 'tickets', format: 'csv' })).rejects.toMatchObject({
    code: 'exports_busy',
  })
  await jobs.find(({ name }) => name === 'analytics.forget_exports')!.run(context, { tenant_id: tenant.id })
  expect((await run('exports.list')).results.length).toBeGreaterThan(3)
})
