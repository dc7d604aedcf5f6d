import { expect, test } from 'vitest'
import { tenantOfToken } from '../../kernel/ids.ts'
import { aLab, codeOf } from './test/branch.ts'

const lab = await aLab()
const numbers = (n: number, prefix = 'A', digits = 3) =>
  Array.from({ length: n }, (_, i) => prefix + String(i + 1).padStart(digits, '0'))

test('4 000 at once get the numbers 1 to 4 000, in the order of arrival, of service and of the log', async () => {
  const b = await lab.branch()
  await b.setQueue({ number_last: 9999 })
  const taken = await Promise.all(Array.from({ length: 4000 }, () => b.take({ channel: 'web' })))
  expect(taken.map(({ number }) => number).sort()).toEqual(numbers(4000, 'A', 4))
  const rows = await lab.owner<{ serials: number[] }>(
    `select array_agg(serial order by rank, id) as serials from tickets where tenant_id = $1
     union all select array_agg(serial order by created_at, id) from tickets where tenant_id = $1
     union all select array_agg(t.serial order by e."offset") from events e join tickets t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
               where e.tenant_id = $1 and e.type = 'ticket.created'`,
    [b.tenant.id],
  )
  for (const { serials } of rows) expect(serials).toEqual(serials.toSorted((a, z) => a - z))
  expect(new Set(taken.map(({ public_token }) => public_token)).size).toBe(4000)
})

test('control: the greatest number plus one gives numbers twice', async () => {
  const b = await lab.branch()
  await lab.owner('create table naive (tenant_id bigint, serial int); grant all on naive to sq_app')
  const next = () =>
    lab.db.tenant(b.tenant.id, async (tx) => {
      const { serial } = await tx.one<{ serial: number }>('select coalesce(max(serial), 0) + 1 as serial from naive')
      await tx.query('insert into naive values ($1, $2)', [b.tenant.id, serial])
      return serial
    })
  const given = await Promise.all(Array.from({ length: 200 }, next))
  expect(new Set(given).size).toBeLessThan(200)
})

test('each queue and each day has its own series; one that never resets goes on', async () => {
  const b = await lab.branch({ queues: 2 })
  const other = { queue_id: b.queues[1]!.id }
  expect((await b.take()).number).toBe('A001')
  expect((await b.take(other)).number).toBe('B001')
  await lab.owner(`update queue_days set day = day - 1 where tenant_id = $1`, [b.tenant.id])
  await lab.owner(`update tickets set series_day = series_day - 1 where tenant_id = $1`, [b.tenant.id])
  expect((await b.take()).number).toBe('A001')
  await b.setQueue({ number_reset: 'never' }, 1)
  expect((await b.take(other)).number).toBe('B001')
  await lab.owner(`update tickets set day = day - 1 where tenant_id = $1`, [b.tenant.id])
  expect((await b.take(other)).number).toBe('B002')
})

test('a series begins again as far as its numbers are free, and then there are none', async () => {
  const b = await lab.branch()
  await b.setQueue({ number_first: 7, number_last: 10 })
  const first = await Promise.all(Array.from({ length: 4 }, () => b.take()))
  expect(first.map(({ number }) => number).sort()).toEqual(['A07', 'A08', 'A09', 'A10'])
  expect(await codeOf(b.take())).toBe('queue_numbers_exhausted')
  const line = await b.line()
  await b.run('tickets.cancel', { id: line[0] })
  await b.run('tickets.cancel', { id: line[1] })
  const again = await Promise.all(
    Array.from({ length: 4 }, () =>
      b.take().then(
        ({ number }) => number,
        (error: { code: string }) => error.code,
      ),
    ),
  )
  expect(again.sort()).toEqual(['A07', 'A08', 'queue_numbers_exhausted', 'queue_numbers_exhausted'])
  // The refused ones spent nothing: the next number is the one that was not free.
  await b.run('tickets.cancel', { id: line[2] })
  expect((await b.take()).number).toBe('A09')
})

test('a queue is never fuller than its capacity, and refusals leave no gap', async () => {
  const b = await lab.branch()
  await b.setQueue({ max_capacity: 25 })
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => codeOf(b.take())))
  expect(outcomes.filter((code) => code === 'ok')).toHaveLength(25)
  expect(outcomes.filter((code) => code === 'queue_full')).toHaveLength(75)
  await b.callNext()
  expect((await b.take()).number).toBe('A026')
  expect(await codeOf(b.take())).toBe('queue_full')
})

test('a device and a person have one live ticket for a service, wherever they ask', async () => {
  const b = await lab.branch({ sites: 2 })
  const phone = { customer: { name: 'Samira', phone: '06 12 34 56 78' } }
  const device = { device_id: 'device-0001' }
  const queues = b.queues.map(({ id }) => id)
  for (const who of [phone, device]) {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => codeOf(b.take({ ...who, queue_id: queues[i % 2] }))),
    )
    expect(outcomes.filter((code) => code === 'ok')).toHaveLength(1)
    expect(outcomes.filter((code) => code === 'duplicate_ticket')).toHaveLength(19)
  }
  const live = (
    await lab.owner<{ id: number; number: string }>(`select id, number from tickets where tenant_id = $1 order by id`, [
      b.tenant.id,
    ])
  )[0]!
  await expect(b.take(phone)).rejects.toMatchObject({ code: 'duplicate_ticket', params: { number: live.number } })
  await b.run('tickets.cancel', { id: live.id })
  expect(await codeOf(b.take(phone))).toBe('ok')
  // Nothing was spent on those who were refused.
  const [{ gaps }] = (await lab.owner<{ gaps: number }>(
    `select max(serial) - count(*) as gaps from tickets where tenant_id = $1 and queue_id = $2`,
    [b.tenant.id, queues[0]],
  )) as [{ gaps: number }]
  expect(Number(gaps)).toBe(0)
  await b.setQueue({ one_ticket_per_device: false })
  expect(await codeOf(b.take(phone))).toBe('ok')
})

test('one bad request spoils nothing for those who come with it', async () => {
  const b = await lab.branch({ queues: 2 })
  await b.setQueue({ is_active: false }, 1)
  const kiosk = b.as(b.kiosk)
  const wishes: [expected: string, work: Promise<unknown>][] = [
    ['ok', b.take()],
    ['not_found', b.take({ queue_id: 999_999_999 })],
    ['queue_inactive', b.take({ queue_id: b.queues[1]!.id })],
    ['not_found', b.take({ customer_id: 999_999_999 })],
    ['invalid_input', b.take({ customer: { phone: '12' } })],
    ['forbidden', kiosk('tickets.take', { queue_id: b.queues[0]!.id, channel: 'web' })],
    ['ok', kiosk('tickets.take', { queue_id: b.queues[0]!.id, channel: 'kiosk', priority: 2 })],
    ['ok', b.take()],
  ]
  expect(await Promise.all(wishes.map(([, work]) => codeOf(work)))).toEqual(wishes.map(([expected]) => expected))
  const rows = await lab.owner<{ number: string }>('select number from tickets where tenant_id = $1 order by serial', [
    b.tenant.id,
  ])
  expect(rows.map(({ number }) => number)).toEqual(numbers(3))
})

test('strangers come by web or QR, without class, label, note or an identity we know', async () => {
  const b = await lab.branch()
  const stranger = b.as(b.anonymous)
  const queue_id = b.queues[0]!.id
  const ticket = await stranger('tickets.take', { queue_id, channel: 'qr', device_id: 'device-0002' })
  expect(tenantOfToken(ticket.public_token)).toBe(b.tenant.id)
  const refused = [{ channel: 'reception' }, { priority: 1 }, { customer_id: 1 }, { note: 'x' }, { labels: ['VIP'] }]
  for (const more of refused)
    expect(await codeOf(stranger('tickets.take', { queue_id, channel: 'web', ...more }))).toBe('forbidden')
  // Neither the token nor the device is kept as such.
  const row = JSON.stringify(await b.row(ticket.id))
  expect(row).not.toContain('device-0002')
  expect(row).not.toContain(ticket.public_token)
})

test('a closed site says when it opens', async () => {
  const b = await lab.branch()
  const site = (changes: Record<string, unknown>) => b.as(b.admin)('sites.update', { id: b.sites[0]!.id, ...changes })
  await site({ opening_hours: { weekly: {}, exceptions: [] } })
  expect(await codeOf(b.take())).toBe('queue_closed')
  const always = [['00:00', '24:00']]
  await site({
    opening_hours: {
      weekly: { 1: always, 2: always, 3: always, 4: always, 5: always, 6: always, 7: always },
      exceptions: [],
    },
  })
  expect(await codeOf(b.take())).toBe('ok')
  await site({ opening_hours: null, is_active: false })
  expect(await codeOf(b.take())).toBe('queue_closed')
})

test('the priority algorithm puts a higher class first, and the answer says who is ahead', async () => {
  const b = await lab.branch()
  await b.setQueue({ algorithm: 'priority' })
  const ids: number[] = []
  for (const priority of [0, 2, 1, 2]) {
    const ticket = await b.take({ priority })
    ids.push(ticket.id)
    expect(ticket.position).toBe((await b.line()).indexOf(ticket.id) + 1)
  }
  expect(await b.line()).toEqual([ids[1], ids[3], ids[2], ids[0]])
})

test('a repeated key gives the same ticket, byte for byte', async () => {
  const b = await lab.branch()
  const input = { queue_id: b.queues[0]!.id, channel: 'kiosk' }
  const kiosk = b.as(b.kiosk)
  const first = await kiosk('tickets.take', input, { key: 'tap-1' })
  expect(await kiosk('tickets.take', input, { key: 'tap-1' })).toEqual(first)
  expect((await kiosk('tickets.take', input, { key: 'tap-2' })).number).toBe('A002')
})
