import { describe, expect, test } from 'vitest'
import { anOfficeMaker, codeOf, type Office } from './test/office.ts'

const { owner, office } = await anOfficeMaker()

const daily = { 1: [['09:00', '12:00']], 2: [['09:00', '12:00']], 3: [['09:00', '12:00']], 4: [['09:00', '12:00']] }
const nights = [['00:00', '24:00']]
const always = { 1: nights, 2: nights, 3: nights, 4: nights, 5: nights, 6: nights, 7: nights }

const slots = async (b: Office, input: Record<string, unknown>) =>
  b.stranger('appointments.slots', { site: b.sites[0]!.id, ...input })
const setHours = (b: Office, opening_hours: unknown) =>
  b.adminRun('sites.update', { id: b.sites[0]!.id, opening_hours })

/** The first date from today on that has this month, day and weekday test. */
function nextDate(isWanted: (date: Temporal.PlainDate) => boolean): string {
  let date = Temporal.Now.plainDateISO('UTC').add({ days: 2 })
  while (!isWanted(date)) date = date.add({ days: 1 })
  return date.toString()
}
/** Local hours that a date has in a zone. */
const hoursIn = (zone: string) => (date: Temporal.PlainDate) => date.toZonedDateTime(zone).hoursInDay

describe('a day on which the clock changes', () => {
  const far = { horizon_days: 730, duration_seconds: 1800 }
  test('in Paris in spring has 46 half hours, and none at half past two', async () => {
    const b = await office(far)
    await setHours(b, { weekly: always })
    const date = nextDate((day) => hoursIn('Europe/Paris')(day) === 23)
    const answer = await slots(b, { from: date, to: date })
    expect(answer.timezone).toBe('Europe/Paris')
    const [{ slots: free }] = answer.services[0].days
    expect(free).toHaveLength(46)
    expect(free.map(({ time }: { time: string }) => time)).not.toContain('02:30')
    expect(free.slice(3, 5)).toEqual([
      { start_at: `${date}T00:30:00Z`, time: '01:30', places: 1 },
      { start_at: `${date}T01:00:00Z`, time: '03:00', places: 1 },
    ])
  })

  test('in Paris in autumn has 50, and half past two comes twice, each booked for itself', async () => {
    const b = await office(far)
    await setHours(b, { weekly: always })
    const date = nextDate((day) => hoursIn('Europe/Paris')(day) === 25)
    const half = async () =>
      (await slots(b, { from: date, to: date })).services[0].days[0].slots.filter(
        ({ time }: { time: string }) => time === '02:30',
      )
    expect((await half()).map(({ start_at }: { start_at: string }) => start_at)).toEqual([
      `${date}T00:30:00Z`,
      `${date}T01:30:00Z`,
    ])
    await b.book({ start_at: `${date}T00:30:00Z` })
    expect((await half()).map(({ start_at }: { start_at: string }) => start_at)).toEqual([`${date}T01:30:00Z`])
  })

  // São Paulo has kept one time since 2019; Santiago still changes at midnight as São Paulo did: that day begins at 01:00.
  test.each(['America/Santiago', 'America/Asuncion'])('that begins at one o’clock, in %s or its like', async (zone) => {
    const b = await office(far, { timezone: zone })
    await setHours(b, { weekly: always })
    const changes = hoursIn(zone)
    const day = Array.from({ length: 728 }, (_, days) => Temporal.Now.plainDateISO('UTC').add({ days: days + 2 })).find(
      (each) => changes(each) === 23,
    )
    // A zone without a change keeps 48 half hours.
    const date = (day ?? Temporal.Now.plainDateISO('UTC').add({ days: 30 })).toString()
    const { services } = await slots(b, { from: date, to: date })
    const free = services[0].days[0].slots
    expect(free).toHaveLength(day ? 46 : 48)
    expect(free[0].time).toBe(day ? '01:00' : '00:00')
  })

  test('in São Paulo of 2018, which began at one o’clock', async () => {
    // The past cannot be booked; the arithmetic is the same.
    const { openingDays } = await import('../sites/index.ts')
    const [day] = openingDays({ weekly: always } as never, 'America/Sao_Paulo', '2018-11-04', '2018-11-04')
    const { start, end } = day!.spans[0]!
    expect([start.toString(), start.until(end).total('hours')]).toEqual(['2018-11-04T03:00:00Z', 23])
  })
})

test('a night that begins before midnight gives its slots to the day they are on', async () => {
  const b = await office({ duration_seconds: 3600 })
  const evening = [['22:00', '02:00']]
  await setHours(b, { weekly: { 1: evening, 2: evening, 3: evening, 4: evening, 5: evening, 6: evening, 7: evening } })
  const date = nextDate((day) => hoursIn('Europe/Paris')(day) === 24)
  const { services } = await slots(b, { from: date, to: date })
  expect(services[0].days[0].slots.map(({ time }: { time: string }) => time)).toEqual([
    '00:00',
    '01:00',
    '22:00',
    '23:00',
  ])
})

test('holidays and closures are closed with their reason, an exception opens', async () => {
  const b = await office({ horizon_days: 730 })
  const christmas = nextDate(({ month, day }) => month === 12 && day === 25)
  const christmasDay = Temporal.PlainDate.from(christmas)
  const before = christmasDay.subtract({ days: 1 }).toString()
  const after = christmasDay.add({ days: 1 }).toString()
  const hours = { weekly: always, holidays: { country: 'FR', state: '57' } }
  const dates = async () =>
    (await slots(b, { from: before, to: after })).services[0].days.map(({ date }: { date: string }) => date)
  await setHours(b, hours)
  // Boxing Day is one in Moselle only.
  expect(await dates()).toEqual([before])
  await setHours(b, { ...hours, holidays: { country: 'FR' } })
  expect(await dates()).toEqual([before, after])
  await setHours(b, {
    ...hours,
    closures: [{ from: before, to: before, reason: { fr: 'Travaux', ar: 'أشغال' } }],
    exceptions: [{ date: christmas, intervals: [['10:00', '11:00']] }],
  })
  const answer = await slots(b, { from: before, to: after })
  expect(answer.services[0].days.map(({ date, slots: free }: any) => [date, free.length])).toEqual([[christmas, 4]])
  expect(answer.exceptions[0]).toEqual({ date: before, is_open: false, reason: { fr: 'Travaux', ar: 'أشغال' } })
  expect(answer.exceptions.at(-1)).toMatchObject({ date: after, is_open: false, reason: { en: expect.any(String) } })
  await setHours(b, { ...hours, closures: [] })
  // The doors say the same as the slots.
  const { exceptions } = await slots(b, { from: christmas, to: christmas })
  expect(exceptions[0]).toMatchObject({ date: christmas, reason: { fr: 'Noël', en: 'Christmas Day' } })
})

test.each([
  [{ holidays: { country: 'XX' } }, '/opening_hours/holidays/country', 'not_found'],
  [{ holidays: { country: 'FR', state: 'ZZ' } }, '/opening_hours/holidays/state', 'not_found'],
  [{ closures: [{ from: '2027-02-02', to: '2027-02-01' }] }, '/opening_hours/closures/0/to', 'range'],
])('refuses %j', async (more, path, code) => {
  const b = await office()
  await expect(setHours(b, { weekly: daily, ...more })).rejects.toMatchObject({ fields: [{ path, code }] })
})

test('what is booked is no longer shown, buffers included, and a month is at most two', async () => {
  const b = await office({ duration_seconds: 1800, buffer_after_seconds: 600, interval_seconds: 1800 })
  const [first] = (await slots(b, range(3, 3))).services[0].days
  expect(first.slots).toHaveLength(48)
  await b.book({ start_at: first.slots[10].start_at })
  const [left] = (await slots(b, range(3, 3))).services[0].days
  const missing = first.slots.filter(({ start_at }: any) => !left.slots.some((each: any) => each.start_at === start_at))
  expect(missing).toEqual([first.slots[9], first.slots[10], first.slots[11]])
  expect(await codeOf(slots(b, range(1, 62)))).toBe('ok')
  expect(await codeOf(slots(b, range(1, 63)))).toBe('invalid_input')
  expect(await codeOf(slots(b, range(2, 1)))).toBe('invalid_input')
  expect(await codeOf(slots(b, { ...range(1, 1), site: 987_654_321 }))).toBe('not_found')
})
function range(from: number, to: number) {
  const date = (days: number) => Temporal.Now.plainDateISO('Europe/Paris').add({ days }).toString()
  return { from: date(from), to: date(to) }
}

test('a slot that is shown can be booked, and one that is not cannot', async () => {
  const b = await office({ resource: 'agents', duration_seconds: 1800, capacity: 1 }, { agents: 2 })
  await setHours(b, { weekly: always })
  const day = async () => (await slots(b, range(2, 2))).services[0].days[0]?.slots ?? []
  const book = (start_at: string) => codeOf(b.stranger('appointments.book', { queue_id: b.queues[0]!.id, start_at }))
  for (const { start_at, places } of (await day()).slice(0, 6))
    for (let i = 0; i <= places; i++) expect(await book(start_at)).toBe(i < places ? 'ok' : 'slot_taken')
  expect(await day()).toHaveLength(42)
})

test('the month reads the day’s appointments by index', async () => {
  const b = await office()
  await owner(
    `insert into appointments (tenant_id, site_id, queue_id, service_id, status, start_at, end_at, busy_from, busy_until, day, channel, code)
     select $1, $2, $3, $4, 'cancelled', at, at + interval '15 min', at, at + interval '15 min', at::date, 'web', '000000'
     from generate_series(now() - interval '200 days', now(), interval '10 min') at`,
    [b.tenant.id, b.sites[0]!.id, b.queues[0]!.id, b.services[0]!.id],
  )
  await owner('analyze appointments')
  const rows = await owner<{ 'QUERY PLAN': string }>(
    `explain select from appointments a where a.tenant_id = $1 and a.site_id = $2 and a.status in ('held', 'pending', 'booked', 'checked_in')
       and a.start_at >= now() and a.start_at < now() + interval '31 days'`,
    [b.tenant.id, b.sites[0]!.id],
  )
  expect(JSON.stringify(rows)).toContain('appointments_by_start')
})

test('an agent is booked in the own hours only, exceptions and nights included', async () => {
  const b = await office({ resource: 'agents', duration_seconds: 3600 }, { agents: 2, counters: 2 })
  const day = b.at(0).slice(0, 10)
  const shown = async () => {
    const { services } = await b.run('appointments.slots', { site: b.sites[0]!.id, from: day, to: day })
    return Object.fromEntries(
      (services[0].days[0]?.slots ?? []).map(({ time, places }: { time: string; places: number }) => [time, places]),
    ) as Record<string, number>
  }
  expect((await shown())['03:00']).toBe(2)
  const weekly = Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7].map((each) => [
      each,
      [
        ['09:00', '12:00'],
        ['22:00', '02:00'],
      ],
    ]),
  )
  const own = await b.run('agent-hours.create', { agent_id: b.agents[0]!.id, hours: { weekly } })
  const first = await shown()
  expect([
    first['01:00'],
    first['02:00'],
    first['08:00'],
    first['09:00'],
    first['11:00'],
    first['12:00'],
    first['23:00'],
  ]).toEqual([2, 1, 1, 2, 2, 1, 2])
  await b.run('agent-hours.create', {
    agent_id: b.agents[1]!.id,
    hours: { weekly, exceptions: [{ date: day, intervals: [] }] },
  })
  const second = await shown()
  // What began the evening before is still the evening's.
  expect(Object.entries(second).map(([time, places]) => `${time} ${places}`)).toEqual([
    '00:00 2',
    '01:00 2',
    '09:00 1',
    '10:00 1',
    '11:00 1',
    '22:00 1',
    '23:00 1',
  ])
  const nine = (await b.run('appointments.slots', { site: b.sites[0]!.id, from: day, to: day })).services[0].days[0]
    .slots[2]
  expect(await b.book({ start_at: nine.start_at })).toMatchObject({ agent_id: b.agents[0]!.id })
  expect(await codeOf(b.book({ start_at: nine.start_at }))).toBe('slot_taken')
  expect(
    await codeOf(b.run('agent-hours.update', { id: own.id, hours: { weekly: { 1: [['24:00', '02:00']] } } })),
  ).toBe('invalid_input')
})
