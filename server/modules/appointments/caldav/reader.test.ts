import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Endless } from '../../../kernel/apart.ts'
import { Runtime } from '../../../kernel/execute.ts'
import { caller } from '../../../test/runtime.ts'
import { jobs, operations } from '../index.ts'
import { anOfficeMaker } from '../test/office.ts'
import { eventOf, multistatusOf, reader } from './reader.ts'

const { office, runtime: base, owner, db } = await anOfficeMaker()
const runtime = new Runtime({ db, hub: base.hub, url: (path) => `http://localhost${path}`, renderError: String })
const sync = jobs.find(({ name }) => name === 'appointments.sync_calendar')!

const event = (uid: string, lines: string) =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nDURATION:PT1H\r\n${lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`
const GOOD = 'DTSTART:20270301T100000Z'
/** What no day fulfils is looked for until the end of time. */
const ENDLESS = 'DTSTART:20260101T000000Z\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'
const wanted = { timezone: 'Europe/Paris', from: '2026-11-23T00:00:00Z', until: '2027-12-01T00:00:00Z' }

/** Little patience, once a reader is there. */
async function impatient() {
  expect((await eventOf(event('x', GOOD), wanted)).spans).toHaveLength(1)
  const usual = reader.patience.milliseconds
  reader.patience.milliseconds = 1500
  onTestFinished(() => {
    reader.patience.milliseconds = usual
  })
  return usual
}

test('an event that never ends is given up, the process goes on meanwhile, and the next one is read', async () => {
  const usual = await impatient()
  let isOver = false
  let turns = 0
  const outcome = eventOf(event('x', ENDLESS), wanted)
    .catch((error: unknown) => error)
    .finally(() => (isOver = true))
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    turns++
  }
  expect(await outcome).toBeInstanceOf(Endless)
  expect(turns).toBeGreaterThan(3)
  reader.patience.milliseconds = usual
  const [one, two] = await Promise.all([eventOf(event('y', GOOD), wanted), eventOf(event('z', GOOD), wanted)])
  expect([one.uid, two.uid]).toEqual(['y', 'z'])
  await expect(multistatusOf('<html/>')).rejects.toThrow('no multistatus')
})

/** A calendar of these events, by name. */
async function aServer(events: Record<string, string>) {
  const answer = (name: string, properties: string) =>
    `<d:response><d:href>/c/${name}</d:href><d:propstat><d:prop><d:getetag>"1"</d:getetag>${properties}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
  const server = createServer((request, response) => {
    const asked: Buffer[] = []
    request.on('data', (chunk: Buffer) => asked.push(chunk))
    request.on('end', () => {
      const body = String(Buffer.concat(asked))
      if (request.method === 'PUT') return response.writeHead(201, { etag: '"1"' }).end()
      if (body.includes('sync-collection')) return response.writeHead(501).end()
      const isRead = body.includes('calendar-multiget')
      const own = isRead
        ? Object.entries(events).map(([name, text]) => answer(name, `<c:calendar-data>${text}</c:calendar-data>`))
        : Object.keys(events).map((name) => answer(name, ''))
      const itself = `<d:response><d:href>/c/</d:href><d:propstat><d:prop><d:resourcetype><c:calendar/></d:resourcetype></d:prop></d:propstat></d:response>`
      response
        .writeHead(207, { 'content-type': 'application/xml' })
        .end(
          `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">${itself}${own.join('')}</d:multistatus>`,
        )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/c/`
}

test('one endless event in an agent’s calendar hides nothing of the rest; a calendar of them is refused', async () => {
  const b = await office({}, { agents: 1 })
  const events: Record<string, string> = { a: event('a', ENDLESS), b: event('b', GOOD) }
  const run = caller(runtime, operations)(b.admin, b.tenant)
  const place = { site_id: b.sites[0]!.id, agent_id: b.agents[0]!.id }
  const link = await run('calendars.connect', {
    ...place,
    url: await aServer(events),
    username: 'x',
    password: 'trois petits chats',
  })
  const go = async () => {
    await owner('update calendar_links set claimed_until = null, next_at = now() where tenant_id = $1', [b.tenant.id])
    await sync.run({ runtime, tenants: async () => [b.tenant] }, { tenant_id: b.tenant.id, link_id: link.id })
    const [row] = await owner<{ last_error: string | null }>(
      'select last_error from calendar_links where tenant_id = $1',
      [b.tenant.id],
    )
    return row!.last_error
  }
  await impatient()
  expect(await go()).toBeNull()
  for (const name of ['c', 'd', 'e']) events[name] = event(name, ENDLESS)
  expect(await go()).toBe('calendar_answer')
})
