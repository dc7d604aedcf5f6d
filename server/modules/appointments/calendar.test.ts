import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { anOfficeMaker, codeOf } from './test/office.ts'

const { office } = await anOfficeMaker()

/** Debian's python3-icalendar reads the file and answers what a client would see. */
const JUDGE = `
import json, sys
from icalendar import Calendar
calendar = Calendar.from_ical(sys.stdin.buffer.read())
print(json.dumps({
  'version': str(calendar['VERSION']), 'prodid': str(calendar['PRODID']), 'errors': [str(e) for c in calendar.walk() for e in c.errors],
  'events': [{
    'uid': str(e['UID']), 'start': e.decoded('DTSTART').isoformat(), 'end': e.decoded('DTEND').isoformat(),
    'stamp': e.decoded('DTSTAMP').isoformat(), 'summary': str(e['SUMMARY']), 'description': str(e['DESCRIPTION']),
    'location': str(e['LOCATION']), 'sequence': int(e['SEQUENCE']), 'status': str(e['STATUS'])} for e in calendar.walk('VEVENT')]}))`
// Debian's own: another Python on the path does not see its packages.
const PYTHON = '/usr/bin/python3'
const hasJudge = spawnSync(PYTHON, ['-c', 'import icalendar']).status === 0
if (!hasJudge)
  process.stderr.write(
    'calendar.test.ts: python3-icalendar is not installed, NO CALENDAR WAS JUDGED by a foreign reader\n',
  )

interface Judged {
  version: string
  errors: string[]
  events: Record<string, string | number>[]
}
const judge = (text: string) =>
  JSON.parse(execFileSync(PYTHON, ['-c', JUDGE], { input: text, stdio: 'pipe' }).toString()) as Judged

const utc = (instant: string) => instant.replace('Z', '+00:00')

describe.skipIf(!hasJudge)('as a foreign reader sees it', () => {
  test('an appointment is one event in UTC, with the site’s time in the text; a move and an end are told', async () => {
    const b = await office({}, { locale: 'ar' })
    await b.adminRun('sites.update', { id: b.sites[0]!.id, name: 'Hôtel; de ville, “Évry”', address: 'ش'.repeat(120) })
    await b.adminRun('services.update', { id: b.services[0]!.id, names: { ar: 'بطاقات الهوية' } })
    const row = await b.book({ language: 'ar' })
    const read = async () => judge(await b.stranger('appointments.calendarMine', { link: row.public_token }))
    const { version, errors, events } = await read()
    expect([version, errors, events.length]).toEqual(['2.0', [], 1])
    expect(events[0]).toMatchObject({
      start: utc(row.start_at),
      end: utc(row.end_at),
      summary: 'بطاقات الهوية',
      location: `Hôtel; de ville, “Évry”, ${'ش'.repeat(120)}`,
      sequence: 0,
      status: 'CONFIRMED',
    })
    expect(events[0]!['description']).toContain('(Europe/Paris)')
    expect(events[0]!['description']).toContain(row.code)
    await b.run('appointments.reschedule', { id: row.id, start_at: b.at(120) })
    const moved = (await read()).events[0]!
    expect(moved).toMatchObject({ uid: events[0]!['uid'], sequence: 1, start: utc(b.at(120)) })
    await b.run('appointments.cancel', { id: row.id })
    expect((await read()).events[0]).toMatchObject({ uid: moved['uid'], status: 'CANCELLED' })
  })

  test('a feed has the site’s, the queue’s or the agent’s, until it is closed', async () => {
    const b = await office({ resource: 'agents' }, { agents: 2 })
    const rows = [await b.book(), await b.book(), await b.book({ start_at: b.at(120) })]
    const feed = async (more: Record<string, unknown>) => {
      const { url, id } = await b.run('calendar-feeds.create', { name: 'Feed', site_id: b.sites[0]!.id, ...more })
      return { id, read: () => b.stranger('calendar-feeds.read', { link: url.split('/').at(-2) }) }
    }
    const all = await feed({ queue_id: b.queues[0]!.id })
    expect(judge(await all.read()).events).toHaveLength(3)
    const agentId = rows[1].agent_id
    const own = rows.filter(({ agent_id }) => agent_id === agentId)
    expect(judge(await (await feed({ agent_id: agentId })).read()).events).toHaveLength(own.length)
    await b.run('calendar-feeds.delete', { id: all.id })
    expect(await codeOf(all.read())).toBe('not_found')
  })

  test('control: a calendar without an end of its event is seen through', () => {
    const broken = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nDTSTART:nonsense\r\nEND:VCALENDAR\r\n'
    expect(() => judge(broken)).toThrow()
  })
})

test('lines end in CRLF and none is longer than 75 octets', async () => {
  const b = await office()
  await b.adminRun('sites.update', { id: b.sites[0]!.id, address: 'é'.repeat(300) })
  const { id } = await b.book()
  const text: string = await b.run('appointments.calendar', { id })
  const lines = text.replace(/\r\n$/, '').split('\r\n')
  expect(lines.every((line) => Buffer.byteLength(line) <= 75 && !/[\r\n]/.test(line))).toBe(true)
})
