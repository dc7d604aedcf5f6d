import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import ICAL from 'ical.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { translate } from '../../../kernel/i18n.ts'
import { Runtime } from '../../../kernel/execute.ts'
import { startWorker, type Job } from '../../../kernel/jobs/index.ts'
import { PASSWORD, startRadicale, type TestRadicale } from '../../../test/radicale.ts'
import { caller } from '../../../test/runtime.ts'
import { jobs, operations } from '../index.ts'
import { anOfficeMaker, codeOf, type Office } from '../test/office.ts'
import { readEvent } from './ics.ts'
import { readMultistatus } from './xml.ts'

const { office, runtime: base, owner, db, directUrl } = await anOfficeMaker()
// Plain http to loopback is for development only, which an installation's own address says.
const runtime = new Runtime({ db, hub: base.hub, url: (path) => `http://localhost${path}`, renderError: String })
const as = caller(runtime, operations)
const radicale = await startRadicale()
const server = radicale as TestRadicale
const account = { username: 'samira', password: PASSWORD }

const job = (name: string): Job => jobs.find((each) => each.name === name)!
/** Runs what a worker would, once. */
const sync = (b: Office, id: number) =>
  job('appointments.sync_calendar').run(
    { runtime, tenants: async () => [b.tenant] },
    { tenant_id: b.tenant.id, link_id: id },
  )

async function connected(settings: Record<string, unknown> = {}, place?: (b: Office) => Record<string, unknown>) {
  const b = await office(settings)
  const url = await server.aCalendar()
  const run = as(b.admin, b.tenant)
  const link = await run('calendars.connect', { ...(place?.(b) ?? { site_id: b.sites[0]!.id }), url, ...account })
  const linkRow = async () =>
    (await owner<Record<string, unknown>>('select * from calendar_links where tenant_id = $1', [b.tenant.id]))[0]!
  const appointment = (id: number) => b.run('appointments.get', { id })
  return { b, url, run, link, linkRow, appointment, sync: () => sync(b, link.id) }
}

/** The one event of a calendar, as another program sees it. */
async function theEvent(url: string) {
  const found = [...(await server.read(url))]
  expect(found).toHaveLength(1)
  const [[name, text]] = found as [[string, string]]
  const component = new ICAL.Component(ICAL.parse(text) as []).getFirstSubcomponent('vevent')!
  const event = new ICAL.Event(component)
  const utc = (time: ICAL.Time) => `${new Date(time.toUnixTime() * 1000).toISOString().slice(0, 19)}Z`
  return { name, text, uid: event.uid, sequence: event.sequence, start: utc(event.startDate), end: utc(event.endDate) }
}
const stamp = (instant: string) => instant.replace(/[-:]/g, '')
const anEvent = (uid: string, start: string, end: string, more = '') =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:${stamp(start)}\r\nDTEND:${stamp(end)}\r\nSUMMARY:Dentist\r\n${more}END:VEVENT\r\nEND:VCALENDAR\r\n`
/** Moves an event as a calendar program does: the same text with other times. */
async function moveThere(url: string, start: string, end: string) {
  const { name, text } = await theEvent(url)
  const moved = text
    .replace(/DTSTART:.*\r\n/, `DTSTART:${stamp(start)}\r\n`)
    .replace(/DTEND:.*\r\n/, `DTEND:${stamp(end)}\r\n`)
  expect(moved).not.toBe(text)
  expect((await server.ask('PUT', url + name, moved)).status).toBe(201)
}

describe.skipIf(!radicale)('with a calendar server', () => {
  test('a booking appears there, follows a move and goes with a cancellation', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    const first = await theEvent(t.url)
    expect(first).toMatchObject({ start: row.start_at, end: row.end_at, sequence: 0 })
    expect(first.text).not.toContain('METHOD')
    await t.b.run('appointments.reschedule', { id: row.id, start_at: t.b.at(120) })
    await t.sync()
    expect(await theEvent(t.url)).toMatchObject({ uid: first.uid, start: t.b.at(120), sequence: 1 })
    await t.b.run('appointments.cancel', { id: row.id })
    await t.sync()
    expect((await server.read(t.url)).size).toBe(0)
    expect(await t.linkRow()).toMatchObject({ status: 'active', last_error: null, failures: 0 })
  })

  test('a foreign reader finds the text in order', async () => {
    const python = '/usr/bin/python3'
    if (spawnSync(python, ['-c', 'import icalendar']).status !== 0) {
      process.stderr.write(
        'caldav.test.ts: python3-icalendar is not installed, NO EVENT WAS JUDGED by a foreign reader\n',
      )
      return
    }
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    const program =
      'import sys;from icalendar import Calendar;e=Calendar.from_ical(sys.stdin.buffer.read()).walk("VEVENT")[0];print(e.decoded("DTSTART").isoformat())'
    const judged = spawnSync(python, ['-c', program], { input: (await theEvent(t.url)).text })
    expect(judged.stdout.toString().trim()).toBe(row.start_at.replace('Z', '+00:00'))
  })

  test('a move there is a move here, by staff’s own rules; a deletion there cancels here', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    const length = Temporal.Instant.from(row.start_at).until(row.end_at).total('minutes')
    await moveThere(t.url, t.b.at(180), t.b.at(180 + length))
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ start_at: t.b.at(180), sequence: 1, status: 'booked' })
    expect(await theEvent(t.url)).toMatchObject({ start: t.b.at(180), sequence: 1 })
    expect((await t.b.told()).at(-1)).toBe('appointment.rescheduled')
    await server.ask('DELETE', t.url + (await theEvent(t.url)).name)
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ status: 'cancelled', end_reason: 'deleted_in_calendar' })
    await t.sync()
    expect((await server.read(t.url)).size).toBe(0)
  })

  test('a time that is taken is put back; a changed text there stays theirs', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    const other = await t.b.book({ start_at: t.b.at(120) })
    await t.b.run('appointments.cancel', { id: other.id })
    await t.b.book({ start_at: t.b.at(120) })
    const name = (await theEvent(t.url)).name
    const text = (await server.read(t.url)).get(name)!
    await server.ask('PUT', t.url + name, text.replace(/SUMMARY:.*/, 'SUMMARY:My own words'))
    await t.sync()
    expect((await server.read(t.url)).get(name)).toContain('My own words')
    const taken = stamp(t.b.at(120))
    await server.ask(
      'PUT',
      t.url + name,
      text.replace(/DTSTART:.*/, `DTSTART:${taken}`).replace(/DTEND:.*/, `DTEND:${stamp(t.b.at(130))}`),
    )
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ start_at: row.start_at, sequence: 0 })
    expect((await server.read(t.url)).get(name)).toContain(`DTSTART:${stamp(row.start_at)}`)
  })

  test('what changed on both sides stays as it is here', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    await moveThere(t.url, t.b.at(300), t.b.at(320))
    await t.b.run('appointments.reschedule', { id: row.id, start_at: t.b.at(240) })
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ start_at: t.b.at(240), sequence: 1 })
    expect(await theEvent(t.url)).toMatchObject({ start: t.b.at(240), sequence: 1 })
    // Deleted there, moved here: it is there again.
    await server.ask('DELETE', t.url + (await theEvent(t.url)).name)
    await t.b.run('appointments.reschedule', { id: row.id, start_at: t.b.at(60) })
    await t.sync()
    expect(await theEvent(t.url)).toMatchObject({ start: t.b.at(60), sequence: 2 })
    expect(await t.appointment(row.id)).toMatchObject({ status: 'booked' })
  })

  test('most of a calendar deleted at once is an accident, and put back', async () => {
    const t = await connected({ capacity: 20 })
    for (let i = 0; i < 12; i++) await t.b.book()
    await t.sync()
    const names = [...(await server.read(t.url)).keys()]
    expect(names).toHaveLength(12)
    for (const name of names) await server.ask('DELETE', t.url + name)
    await t.sync()
    expect((await server.read(t.url)).size).toBe(12)
    expect((await t.b.told()).includes('appointment.cancelled')).toBe(false)
  })

  test('what an agent has in the own calendar is not booked; of it only the times are kept', async () => {
    const t = await connected({ resource: 'agents', duration_seconds: 1800 }, (b) => ({ agent_id: b.agents[0]!.id }))
    const weekly = anEvent('dentist@elsewhere', t.b.at(60), t.b.at(120), 'RRULE:FREQ=WEEKLY;COUNT=3\r\n')
    await server.ask('PUT', `${t.url}dentist.ics`, weekly)
    await server.ask(
      'PUT',
      `${t.url}free.ics`,
      anEvent('free@elsewhere', t.b.at(180), t.b.at(240), 'TRANSP:TRANSPARENT\r\n'),
    )
    await t.sync()
    expect(await codeOf(t.b.book({ start_at: t.b.at(60) }))).toBe('slot_taken')
    expect(await codeOf(t.b.book({ start_at: t.b.at(60 + 7 * 1440) }))).toBe('slot_taken')
    expect(await codeOf(t.b.book({ start_at: t.b.at(180) }))).toBe('ok')
    const kept = await owner('select * from calendar_busy where tenant_id = $1', [t.b.tenant.id])
    expect(kept).toHaveLength(3)
    expect(JSON.stringify(kept)).not.toContain('Dentist')
    await server.ask('DELETE', `${t.url}dentist.ics`)
    await t.sync()
    expect(await codeOf(t.b.book({ start_at: t.b.at(60) }))).toBe('ok')
    // Our own events are nobody's other business.
    await t.sync()
    expect(await owner('select * from calendar_busy where tenant_id = $1', [t.b.tenant.id])).toEqual([])
    expect((await server.read(t.url)).size).toBe(3)
  })

  test('nothing is lost while the server is away, and it is told when that lasts', async () => {
    const t = await connected()
    await server.stop()
    try {
      const row = await t.b.book()
      for (let i = 1; i <= 5; i++) {
        await t.sync()
        expect(await t.linkRow()).toMatchObject({
          failures: i,
          last_error: 'calendar_unreachable',
          status: i < 5 ? 'active' : 'failing',
        })
      }
      const waits = await owner(
        'select 1 from calendar_links where tenant_id = $1 and next_at > now() + interval $$5 minutes$$',
        [t.b.tenant.id],
      )
      expect(waits).toHaveLength(1)
      await t.b.run('appointments.reschedule', { id: row.id, start_at: t.b.at(120) })
    } finally {
      await server.start()
    }
    await t.sync()
    expect(await theEvent(t.url)).toMatchObject({ start: t.b.at(120) })
    expect(await t.linkRow()).toMatchObject({ failures: 0, status: 'active' })
  })

  test('a booking wakes the worker; a server that does not answer is left in peace', async () => {
    const t = await connected()
    const context = { runtime, tenants: async () => [t.b.tenant] }
    const only = [job('appointments.sync_calendar')]
    const worker = await startWorker({ connectionString: directUrl, jobs: only, context, log: () => {} })
    try {
      await t.b.book()
      await expect.poll(async () => (await server.read(t.url)).size).toBe(1)
      const left = async () =>
        (await owner('select 1 from graphile_worker._private_jobs where key like $1', [`%:${t.b.tenant.id}:%`])).length
      await expect.poll(left).toBe(0)
    } finally {
      await worker.stop()
    }
    await owner(`update calendar_links set failures = 3, next_at = now() + interval '1 hour' where tenant_id = $1`, [
      t.b.tenant.id,
    ])
    await t.b.book({ start_at: t.b.at(120) })
    const waiting = await owner(
      `select 1 from graphile_worker._private_jobs where key like $1 and run_at > now() + interval '50 minutes'`,
      [`%:${t.b.tenant.id}:%`],
    )
    expect(waiting).toHaveLength(1)
  })

  test('a token that is no longer known, and a server without tokens, are read by their ETags', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    await owner(`update calendar_links set sync_token = 'https://elsewhere/1' where tenant_id = $1`, [t.b.tenant.id])
    const length = Temporal.Instant.from(row.start_at).until(row.end_at).total('minutes')
    await moveThere(t.url, t.b.at(180), t.b.at(180 + length))
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ start_at: t.b.at(180) })
    let refused = 0
    const old = createServer(async (request, answer) => {
      const body = Buffer.concat(await request.toArray()).toString()
      const isSync = body.includes('sync-collection')
      if (isSync) refused++
      const headers = Object.fromEntries(
        ['authorization', 'depth', 'if-match', 'if-none-match', 'content-type'].flatMap((name) =>
          request.headers[name] === undefined ? [] : [[name, String(request.headers[name])]],
        ),
      )
      const from = isSync ? undefined : await server.ask(request.method!, request.url!, body || undefined, headers)
      const etag = from?.headers.get('etag')
      answer.writeHead(from?.status ?? 501, etag ? { etag } : {}).end(await from?.text())
    })
    old.listen(0, '127.0.0.1')
    await once(old, 'listening')
    onTestFinished(() => void old.close())
    const { port } = old.address() as AddressInfo
    await owner('update calendar_links set url = $2 where tenant_id = $1', [
      t.b.tenant.id,
      t.url.replace(/:\d+/, `:${port}`),
    ])
    await moveThere(t.url, t.b.at(240), t.b.at(240 + length))
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ start_at: t.b.at(240), sequence: 2 })
    await server.ask('DELETE', t.url + (await theEvent(t.url)).name)
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ status: 'cancelled' })
    expect(refused).toBeGreaterThan(0)
    expect(await t.linkRow()).toMatchObject({ failures: 0, sync_token: null })
  })

  test('a calendar that is gone cancels nothing, and is filled when it is there again', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    expect((await server.ask('DELETE', t.url)).ok).toBe(true)
    await t.sync()
    expect(await t.linkRow()).toMatchObject({ status: 'failing', last_error: 'calendar_missing' })
    expect((await server.ask('MKCALENDAR', t.url)).status).toBe(201)
    await t.sync()
    expect(await t.appointment(row.id)).toMatchObject({ status: 'booked' })
    expect(await theEvent(t.url)).toMatchObject({ start: row.start_at })
    expect(await t.linkRow()).toMatchObject({ status: 'active', last_error: null })
  })

  test('a move to where only a colleague is free is put back; an event marked cancelled cancels', async () => {
    const b = await office({ resource: 'agents', duration_seconds: 600 }, { agents: 2 })
    const first = await b.book()
    const url = await server.aCalendar()
    const link = await as(b.admin, b.tenant)('calendars.connect', { agent_id: first.agent_id, url, ...account })
    await sync(b, link.id)
    const other = await b.book({ start_at: b.at(120) })
    expect(other.agent_id).toBe(first.agent_id)
    const { name, text } = await theEvent(url)
    const at = (minutes: number) =>
      text
        .replace(/DTSTART:.*\r\n/, `DTSTART:${stamp(b.at(minutes))}\r\n`)
        .replace(/DTEND:.*\r\n/, `DTEND:${stamp(b.at(minutes + 10))}\r\n`)
    await server.ask('PUT', url + name, at(120))
    await sync(b, link.id)
    expect(await b.run('appointments.get', { id: first.id })).toMatchObject({
      start_at: first.start_at,
      agent_id: first.agent_id,
    })
    expect((await server.read(url)).get(name)).toContain(`DTSTART:${stamp(first.start_at)}`)
    await server.ask('PUT', url + name, text.replace('STATUS:CONFIRMED', 'STATUS:CANCELLED'))
    await sync(b, link.id)
    expect(await b.run('appointments.get', { id: first.id })).toMatchObject({ status: 'cancelled' })
    expect([...(await server.read(url)).keys()]).toEqual([`appointment-${b.tenant.id}-${other.id}.ics`])
  })

  test('the clock wakes those whose turn it is, and no others', async () => {
    const t = await connected()
    await t.sync()
    const queued = async () => {
      await owner('delete from graphile_worker._private_jobs where key like $1', [`%:${t.b.tenant.id}:%`])
      await job('appointments.sync_calendars').run({ runtime, tenants: async () => [t.b.tenant] }, {})
      return (await owner('select 1 from graphile_worker._private_jobs where key like $1', [`%:${t.b.tenant.id}:%`]))
        .length
    }
    expect(await queued()).toBe(0)
    await owner('update calendar_links set next_at = now() where tenant_id = $1', [t.b.tenant.id])
    expect(await queued()).toBe(1)
  })

  test('a run that died before it could say so is made good; two at once are one', async () => {
    const t = await connected()
    const row = await t.b.book()
    await t.sync()
    await owner('delete from calendar_entries where tenant_id = $1', [t.b.tenant.id])
    await t.b.run('appointments.reschedule', { id: row.id, start_at: t.b.at(120) })
    await Promise.all([t.sync(), t.sync()])
    expect(await theEvent(t.url)).toMatchObject({ start: t.b.at(120), sequence: 1 })
  })

  test('what opens no calendar is refused at once, in three languages', async () => {
    const b = await office()
    const connect = (more: Record<string, unknown>) =>
      codeOf(
        as(b.admin, b.tenant)('calendars.connect', {
          site_id: b.sites[0]!.id,
          url: `${server.url}/samira/`,
          ...account,
          ...more,
        }),
      )
    expect(await connect({ password: 'wrong' })).toBe('calendar_refused')
    expect(await connect({ url: `${server.url}/samira/nothing/` })).toBe('calendar_missing')
    expect(await connect({})).toBe('not_a_calendar')
    expect(await connect({ url: 'http://127.0.0.1:9/calendar/' })).toBe('calendar_unreachable')
    const texts = (['fr', 'en', 'ar'] as const).map((locale) => translate(locale, 'errors.calendar_refused', {}, 'en'))
    expect(new Set(texts).size).toBe(3)
    expect(await owner('select 1 from calendar_links where tenant_id = $1', [b.tenant.id])).toEqual([])
  })

  test('the password is sealed and never answered; who may connect what', async () => {
    const t = await connected()
    expect(JSON.stringify([t.link, await t.run('calendars.list')])).not.toContain(PASSWORD)
    const { password } = await t.linkRow()
    expect((password as Buffer).toString('latin1')).not.toContain(PASSWORD)
    const [audited] = await owner(
      `select * from audit_entries where tenant_id = $1 and operation = 'calendars.connect'`,
      [t.b.tenant.id],
    )
    expect(JSON.stringify(audited)).not.toContain(PASSWORD)
    const agent = as(t.b.agentActors[0]!, t.b.tenant)
    expect((await agent('calendars.list')).results).toEqual([])
    expect(await codeOf(agent('calendars.disconnect', { id: t.link.id }))).toBe('not_found')
    const url = await server.aCalendar()
    expect(await codeOf(agent('calendars.connect', { site_id: t.b.sites[0]!.id, url, ...account }))).toBe('forbidden')
    const own = await agent('calendars.connect', { agent_id: t.b.agents[0]!.id, url, ...account })
    expect(await codeOf(t.run('calendars.connect', { site_id: t.b.sites[0]!.id, url, ...account }))).toBe(
      'already_exists',
    )
    await agent('calendars.disconnect', { id: own.id })
    const other = await office()
    const stranger = as(other.admin, other.tenant)
    expect(await codeOf(stranger('calendars.disconnect', { id: t.link.id }))).toBe('not_found')
    for (const place of [
      { site_id: t.b.sites[0]!.id },
      { agent_id: t.b.agents[0]!.id },
      { queue_id: t.b.queues[0]!.id },
    ])
      expect(await codeOf(stranger('calendars.connect', { ...place, url, ...account }))).toBe('not_found')
  })
})

test('in service only https and public addresses are asked', async () => {
  const b = await office()
  const connect = (url: string) => codeOf(b.adminRun('calendars.connect', { site_id: b.sites[0]!.id, url, ...account }))
  expect(await connect('http://calendar.example.org/x/')).toBe('invalid_input')
  expect(await connect('https://samira:secret@calendar.example.org/x/')).toBe('invalid_input')
  expect(await connect('https://127.0.0.1/x/')).toBe('calendar_unreachable')
  expect(await connect('https://[::ffff:10.0.0.1]/x/')).toBe('calendar_unreachable')
})

test('times of events: zones by name and by description, whole days, exceptions of a rule', () => {
  const read = (lines: string) =>
    readEvent(`BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n${lines.replaceAll('\n', '\r\n')}\r\nEND:VCALENDAR\r\n`, {
      timezone: 'Europe/Paris',
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
    })
  const event = (lines: string) => read(`BEGIN:VEVENT\nUID:x\n${lines}\nEND:VEVENT`).spans
  expect(event('DTSTART;TZID=America/New_York:20260701T090000\nDURATION:PT1H')).toEqual([
    { start_at: '2026-07-01T13:00:00Z', end_at: '2026-07-01T14:00:00Z' },
  ])
  expect(event('DTSTART:20260701T090000\nDTEND:20260701T100000')[0]!.start_at).toBe('2026-07-01T07:00:00Z')
  expect(event('DTSTART;VALUE=DATE:20260701')).toEqual([
    { start_at: '2026-06-30T22:00:00Z', end_at: '2026-07-01T22:00:00Z' },
  ])
  const zone =
    'BEGIN:VTIMEZONE\nTZID:Desk\nBEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0500\nTZOFFSETTO:+0500\nEND:STANDARD\nEND:VTIMEZONE\n'
  expect(
    read(`${zone}BEGIN:VEVENT\nUID:x\nDTSTART;TZID=Desk:20260701T090000\nDURATION:PT1H\nEND:VEVENT`).spans[0]!.start_at,
  ).toBe('2026-07-01T04:00:00Z')
  // Across the night in which the clock changes, half past nine stays half past nine.
  expect(
    event(
      'DTSTART;TZID=Europe/Paris:20261018T093000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=Europe/Paris:20261101T093000',
    ).map(({ start_at }) => start_at),
  ).toEqual(['2026-10-18T07:30:00Z', '2026-10-25T08:30:00Z'])
  expect(event('DTSTART:20200101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY')).toEqual([])
})

test('an answer that declares entities is not read', () => {
  expect(() => readMultistatus('<!DOCTYPE x [<!ENTITY a "b">]><multistatus xmlns="DAV:"/>')).toThrow()
  expect(() => readMultistatus('<html/>')).toThrow()
})
