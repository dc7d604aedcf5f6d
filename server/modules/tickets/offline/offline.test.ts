import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Actor } from '../../../kernel/access.ts'
import { checkLetters } from '../visit/check.ts'
import { aLab, codeOf, type Branch } from '../test/branch.ts'

const lab = await aLab()
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** A paired ticket machine of the branch. */
async function aMachine(
  b: Branch,
  settings: object = {},
): Promise<{ id: number; actor: Actor; run: ReturnType<Branch['as']> }> {
  const site = b.sites[0]!.id
  const [kiosk] = await lab.owner<{ id: number }>(
    `insert into kiosks (tenant_id, site_id, name, settings) values ($1, $2, 'K', $3) returning id`,
    [b.tenant.id, site, JSON.stringify(settings)],
  )
  const [device] = await lab.owner<{ id: number }>(
    `insert into devices (tenant_id, kind, site_id, name, kiosk_id) values ($1, 'kiosk', $2, 'Borne', $3) returning id`,
    [b.tenant.id, site, kiosk!.id],
  )
  const actor: Actor = { ...b.kiosk, principal: `device:${device!.id}` }
  return { id: device!.id, actor, run: b.as(actor) }
}
interface Block {
  id: number
  queue_id: number
  first_serial: number
  numbers: string[]
  given: number
  starts_at: string
  expires_at: string
}
const reserve = async (machine: { run: ReturnType<Branch['as']> }): Promise<Block[]> =>
  (await machine.run('tickets.reserveNumbers', {})).blocks
const tell = (machine: { run: ReturnType<Branch['as']> }, block: Block, n: number, more: object = {}) =>
  machine.run('tickets.takeOffline', {
    block_id: block.id,
    serial: block.first_serial + n,
    taken_at: '2099-01-01T00:00:00Z',
    token_hash: hashOf(`${block.id} ${n}`),
    ...more,
  })

test('K4 what a machine holds is nobody else’s, is given in the order and at the time it was taken, and only once', async () => {
  const b = await lab.branch()
  const [one, two] = [await aMachine(b, { offline_numbers: 5 }), await aMachine(b, { offline_numbers: 5 })]
  const [mine, theirs] = [(await reserve(one))[0]!, (await reserve(two))[0]!]
  expect(mine.numbers).toEqual(['A995', 'A996', 'A997', 'A998', 'A999'])
  expect(theirs.numbers).toEqual(['A990', 'A991', 'A992', 'A993', 'A994'])
  // Asked again, the same: blocks that are held are not added to.
  expect(await reserve(one)).toEqual(await reserve(one))
  expect((await reserve(one))[0]).toEqual(mine)

  const [{ now }] = (await lab.owner<{ now: string }>('select now() as now')) as [{ now: string }]
  await lab.owner(
    `update number_blocks set leased_at = now() - interval '1 hour', starts_at = now() - interval '1 hour' where tenant_id = $1`,
    [b.tenant.id],
  )
  const minutesAgo = (n: number) => Temporal.Instant.from(now).subtract({ minutes: n }).toString()
  const online = await b.take()
  expect(online.number).toBe('A001')
  for (const [n, minutes] of [30, 20, 10, 9, 8].entries()) {
    const ticket = await tell(one, mine, n, { taken_at: minutesAgo(minutes), language: 'ar' })
    expect(ticket).toMatchObject({ number: mine.numbers[n], channel: 'kiosk', language: 'ar', status: 'en_attente' })
    expect(Temporal.Instant.compare(ticket.created_at, minutesAgo(minutes))).toBe(0)
  }
  // Who came while there was no network stands before who came after, as they came.
  const rows = await lab.owner<{ number: string }>(
    `select number from tickets where tenant_id = $1 and status = 'en_attente' order by rank, id`,
    [b.tenant.id],
  )
  expect(rows.map(({ number }) => number)).toEqual([...mine.numbers, 'A001'])
  // Told of again, as after an answer that was lost, the same ticket; with another secret, somebody else's.
  const again = await tell(one, mine, 2, { taken_at: minutesAgo(10) })
  expect(again.number).toBe('A997')
  expect(await codeOf(tell(one, mine, 2, { token_hash: hashOf('another') }))).toBe('number_given')
  expect(await lab.owner('select count(*)::int as n from tickets where tenant_id = $1', [b.tenant.id])).toEqual([
    { n: 6 },
  ])
  // Not what another machine holds, nor what lies beside the block.
  expect(await codeOf(tell(two, mine, 0))).toBe('not_found')
  expect(await codeOf(tell(one, mine, 5))).toBe('not_found')
  expect(await codeOf(tell(one, mine, 3e9))).toBe('invalid_input')
  expect(await codeOf(tell(one, mine, 999_999_000))).toBe('not_found')
  expect((await reserve(one)).map(({ given }) => given)).toContain(5)
  expect((await reserve(one)).filter(({ given }) => given < 5).length).toBeGreaterThan(0)
})

test('K4 numbers that the server gives end before those that machines hold, also for many at once', async () => {
  const b = await lab.branch()
  await b.setQueue({ number_last: 50 })
  const machine = await aMachine(b, { offline_numbers: 20 })
  // A fifth at the most, of so short a series.
  const [block] = await reserve(machine)
  expect(block!.numbers).toEqual(Array.from({ length: 10 }, (_, i) => `A${41 + i}`))
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, () =>
      b.take().then(
        ({ number }) => number,
        (error: { code: string }) => error.code,
      ),
    ),
  )
  const given = outcomes.filter((outcome) => outcome.startsWith('A'))
  expect(given.toSorted()).toEqual(Array.from({ length: 40 }, (_, i) => `A${String(i + 1).padStart(2, '0')}`))
  expect(outcomes.filter((code) => code === 'queue_numbers_exhausted')).toHaveLength(20)
  const told = await Promise.all(Array.from({ length: 10 }, (_, n) => tell(machine, block!, n)))
  expect(told.map(({ number }) => number)).toEqual(block!.numbers)
  // Wider during the day: nothing that a machine holds or gave stands in the way.
  await b.setQueue({ number_last: 60 })
  expect((await b.take()).number).toBe('A41')
})

test('K4 today and tomorrow where the site is; a block ends with its day', async () => {
  const b = await lab.branch()
  await lab.owner(`update sites set timezone = 'Pacific/Auckland' where tenant_id = $1`, [b.tenant.id])
  const blocks = await reserve(await aMachine(b))
  const dayOf = (instant: string) =>
    Temporal.Instant.from(instant).toZonedDateTimeISO('Pacific/Auckland').toPlainDate().toString()
  const [{ today }] = (await lab.owner<{ today: string }>(
    `select (now() at time zone 'Pacific/Auckland')::date::text as today`,
  )) as [{ today: string }]
  expect(blocks.map(({ starts_at }) => dayOf(starts_at))).toEqual([
    today,
    Temporal.PlainDate.from(today).add({ days: 1 }).toString(),
  ])
  expect(blocks[0]!.expires_at).toBe(blocks[1]!.starts_at)
  expect(blocks.every(({ numbers }) => numbers.at(-1) === 'A999' && numbers.length === 20)).toBe(true)
})

test('K4 numbers that never begin again: the next ones, and what is held is nobody’s when they come round', async () => {
  const b = await lab.branch()
  await b.setQueue({ number_reset: 'never', number_last: 30 })
  const machine = await aMachine(b, { offline_numbers: 4 })
  expect((await b.take()).number).toBe('A01')
  const [block, ...more] = await reserve(machine)
  expect(more).toEqual([])
  expect(block!.numbers).toEqual(['A02', 'A03', 'A04', 'A05'])
  expect((await b.take()).number).toBe('A06')
  await lab.owner(`update tickets set status = 'terminé' where tenant_id = $1`, [b.tenant.id])
  const rest: string[] = []
  for (let n = 0; n < 25; n++) rest.push((await b.take()).number)
  // 07 to 30 and 01; then come numbers that a machine may be giving.
  expect(rest.at(-1)).toBe('A01')
  expect(await codeOf(b.take())).toBe('queue_numbers_exhausted')
  expect((await tell(machine, block!, 0)).number).toBe('A02')
})

test('K4 a person with a number is not refused for what happened meanwhile, and finds the page', async () => {
  const b = await lab.branch()
  const machine = await aMachine(b)
  const [block] = await reserve(machine)
  await b.setQueue({ max_capacity: 1 })
  await b.take()
  expect(await codeOf(b.take())).toBe('queue_full')
  const ticket = await tell(machine, block!, 0)
  const row = await b.row(ticket.id)
  expect(row['day']).toBe(row['series_day'])
  expect(await b.events(ticket.id)).toEqual(['ticket.created'])
  const letters = checkLetters(Buffer.from(hashOf(`${block!.id} 0`), 'hex'))
  const { public_token } = await b.as(b.anonymous)('tickets.find', {
    slug: 'site-1',
    number: ticket.number,
    check: letters,
  })
  expect(public_token).toBeTruthy()
})

test('K4 a ticket whose answer never came is cancelled when the number given in its place is told of', async () => {
  const b = await lab.branch()
  const machine = await aMachine(b)
  const [block] = await reserve(machine)
  const key = 'key-of-the-take'
  const unheard = await machine.run('tickets.take', { queue_id: b.queues[0]!.id, channel: 'kiosk' }, { key })
  const ticket = await tell(machine, block!, 0, { instead_of: key })
  expect((await b.row(unheard.id))['status']).toBe('annulé')
  expect(await b.line()).toEqual([ticket.id])
  // One that never arrived is no reason to refuse.
  expect((await tell(machine, block!, 1, { instead_of: 'never-heard-of' })).number).toBe(block!.numbers[1])
})

test('control: a machine that counts on from the last number it saw gives numbers of others', async () => {
  const b = await lab.branch()
  const seen = Number((await b.take()).number.slice(1))
  const offline = Array.from({ length: 3 }, (_, i) => `A00${seen + 1 + i}`)
  const online = [await b.take(), await b.take()].map(({ number }) => number)
  expect(offline.filter((number) => online.includes(number))).not.toEqual([])
})

test('a machine that is switched off gives nothing new; who has a number of it already keeps it', async () => {
  const b = await lab.branch()
  const [machine, other] = [await aMachine(b, { offline_numbers: 5 }), await aMachine(b)]
  const [block] = await reserve(machine)
  const take = (of: typeof machine) => codeOf(of.run('tickets.take', { queue_id: b.queues[0]!.id, channel: 'kiosk' }))
  expect(await take(machine)).toBe('ok')
  const turn = (isOn: boolean) =>
    lab.owner('update kiosks set is_active = $2 where id = (select kiosk_id from devices where id = $1)', [
      machine.id,
      isOn,
    ])
  await turn(false)
  expect([await take(machine), await take(other)]).toEqual(['kiosk_inactive', 'ok'])
  expect(await b.line()).toHaveLength(2)
  expect((await tell(machine, block!, 0)).number).toBe('A995')
  await turn(true)
  expect(await take(machine)).toBe('ok')
})

test('a machine asked to hold none holds none; nobody else may ask', async () => {
  const b = await lab.branch()
  expect(await reserve(await aMachine(b, { offline_numbers: 0 }))).toEqual([])
  expect(await codeOf(b.run('tickets.reserveNumbers', {}))).toBe('forbidden')
  expect(await codeOf(b.as({ ...b.kiosk, principal: 'device:999999' })('tickets.reserveNumbers', {}))).toBe('not_found')
})
