import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import jsqr from 'jsqr'
import { expect, test } from 'vitest'
import { startApp } from '../../test/app.ts'
import { anonymousActor } from '../../test/factories.ts'
import { pagesOfPdf } from '../../test/pdf.ts'
import { TEMPLATE_NAMES } from './templates.ts'

const server = await startApp()
const { app, as, owner } = server
const hall = await server.aTenant({ slug: 'hall', sites: 0, agents: 0, counters: 0, queues: 0 })
const other = await server.aTenant({ slug: 'other' })
type Json = Record<string, any>
async function ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, payload?: object, actor = hall.admin) {
  const answer = await app.inject({
    method,
    url: `/api/v1/tenants/hall${path}`,
    headers: as(actor),
    ...(payload && { payload }),
  })
  return { status: answer.statusCode, body: (answer.body ? answer.json() : null) as Json }
}

test('a template makes a whole site that works at once; the same services are not made twice', async () => {
  for (const template of TEMPLATE_NAMES) {
    const { status, body } = await ask('POST', '/setup/', { template, name: `Site ${template}`, counters: 2 })
    expect(status).toBe(201)
    expect([body['services'].length, body['queues'].length, body['counters'].length]).toEqual([3, 3, 2])
    const open = await ask('POST', '/tickets/', { queue_id: body['queues'][0].id, channel: 'reception' })
    // Outside its hours a place may be closed; nothing else may stand in the way.
    expect([201, 409]).toContain(open.status)
    if (open.status === 409) expect(open.body['code']).toMatch(/closed/)
  }
  const services = await owner<{ n: number }>('select count(*)::int as n from services where tenant_id = $1', [
    hall.tenant.id,
  ])
  const again = await ask('POST', '/setup/', { template: 'bank', name: 'Second' })
  expect(again.body['site'].slug).not.toBe('site-bank')
  expect(await owner('select count(*)::int as n from services where tenant_id = $1', [hall.tenant.id])).toEqual(
    services,
  )
  expect((await ask('POST', '/setup/', { template: 'bank', name: 'No' }, hall.supervisor)).status).toBe(403)
})

test('a site is copied with what makes it work, and without its people, drafts and place', async () => {
  const { body: made } = await ask('POST', '/setup/', {
    template: 'clinic',
    name: 'Nord',
    address: '1 rue du Nord',
    counters: 2,
  })
  const source = made['site'].id as number
  const [first, second] = made['queues'] as Json[]
  await ask('PATCH', `/sites/${source}/`, { latitude: 48.9, longitude: 2.3 })
  await ask('PATCH', `/queues/${first!['id']}/`, { algorithm: 'priority', max_capacity: 40, goal_seconds: 900 })
  await ask('PATCH', `/displays/${made['display'].id}/`, { queue_ids: [first!['id']] })
  const rule = { queue_id: first!['id'], condition: { languages: ['ar'] } }
  await ask('POST', '/queue-rules/', { ...rule, name: 'Là-bas', effect: { queue_id: second!['id'] } })
  await ask('POST', `/queues/${first!['id']}/publish-rules/`, {})
  await ask('POST', '/queue-rules/', { ...rule, name: 'Brouillon', effect: { priority: 9 } })
  const { status, body } = await ask('POST', `/sites/${source}/copy/`, { name: 'Sud' })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    site: { name: 'Sud', slug: 'sud' },
    queues: 3,
    rules: 1,
    counters: 2,
    displays: 1,
    kiosks: 1,
  })
  const copy = body['site'].id as number
  const [there, here] = await Promise.all([source, copy].map(async (id) => (await ask('GET', `/sites/${id}/`)).body))
  expect(here!['opening_hours']).toEqual(there!['opening_hours'])
  expect([here!['address'], here!['latitude']]).toEqual(['', null])
  const queuesOf = async (site: number) =>
    (await ask('GET', `/queues/?site=${site}&ordering=created_at`)).body['results'] as Json[]
  const own = (queue: Json) => {
    const { id: _, site_id: _site, created_at: _at, updated_at: _then, ...rest } = queue
    return rest
  }
  const copied = await queuesOf(copy)
  expect(copied.map(own)).toEqual((await queuesOf(source)).map(own))
  const inForce = (await ask('GET', `/queues/${copied[0]!['id']}/rule-versions/`)).body['results'] as Json[]
  expect(inForce.map(({ rules }) => rules)).toMatchObject([
    [{ name: 'Là-bas', condition: { languages: ['ar'] }, effect: { queue_id: copied[1]!['id'] } }],
  ])
  const display = (await ask('GET', `/displays/?site=${copy}`)).body['results'] as Json[]
  expect(display.map((each) => each['queue_ids'])).toEqual([[copied[0]!['id']]])
  const booked = await owner(
    'select count(*)::int as n from booking_settings b join queues q on q.id = b.queue_id where q.site_id = any($1) group by q.site_id',
    [[source, copy]],
  )
  expect(booked[0]).toEqual(booked[1])
  expect(await owner('select from agents where site_id = $1', [copy])).toEqual([])
  // It works at once; the same name again has another address.
  const taken = await ask('POST', '/tickets/', { queue_id: copied[2]!['id'], channel: 'reception' })
  expect(taken.status === 201 || /closed/.test(taken.body['code'] as string)).toBe(true)
  expect((await ask('POST', `/sites/${source}/copy/`, { name: 'Sud' })).body['site']?.slug).not.toBe('sud')
  expect((await ask('POST', `/sites/${source}/copy/`, { name: 'No' }, hall.supervisor)).status).toBe(403)
  expect((await ask('POST', `/sites/${other.sites[0]!.id}/copy/`, { name: 'No' })).status).toBe(404)
})

test('what a template makes is all there or not at all', async () => {
  const count = async () =>
    (await owner<{ n: number }>('select count(*)::int as n from sites where tenant_id = $1', [hall.tenant.id]))[0]!.n
  const before = await count()
  const failed = await ask('POST', '/setup/', { template: 'shop', name: 'Nowhere', timezone: 'Mars/Olympus' })
  expect(failed.status).toBe(400)
  expect(await count()).toBe(before)
})

const decode = jsqr as unknown as typeof jsqr.default
test('the poster is a PDF with fonts of its own', async () => {
  const [site] = await owner<{ id: number; slug: string }>('select id, slug from sites where tenant_id = $1 limit 1', [
    hall.tenant.id,
  ])
  const { status, body } = await ask('GET', `/sites/${site!.id}/poster/`)
  expect(status).toBe(200)
  const pdf = Buffer.from(body['pdf_base64'] as string, 'base64')
  const text = pdf.toString('latin1')
  expect(text.startsWith('%PDF-')).toBe(true)
  expect(text.match(/\/Type \/Page\b/g)).toHaveLength(4)
  expect(text.match(/\/FontFile/g)!.length).toBeGreaterThanOrEqual(3)
  expect(text).toMatch(/ReadexPro/)
  expect((await ask('GET', `/sites/${other.sites[0]!.id}/poster/`)).status).toBe(404)
  expect(body['url']).toMatch(new RegExp(`/site/hall/${site!.slug}$`))
})

test.skipIf(!existsSync('/usr/bin/pdftoppm'))(
  'X10 each printed code opens the site’s page, in its language, and the Arabic is shaped',
  async () => {
    const [site] = await owner<{ id: number }>('select id from sites where tenant_id = $1 limit 1', [hall.tenant.id])
    const { body } = await ask('GET', `/sites/${site!.id}/poster/`)
    const pdf = Buffer.from(body['pdf_base64'] as string, 'base64')
    const read = pagesOfPdf(pdf).map(({ width, height, rgba }) => decode(rgba, width, height)?.data)
    const url = body['url'] as string
    expect(read).toEqual([url, `${url}?lang=fr`, `${url}?lang=en`, `${url}?lang=ar`])
    // Presentation forms or glyphs joined by the font: the text comes back as the letters that were meant.
    const folder = mkdtempSync(join(tmpdir(), 'poster-'))
    writeFileSync(join(folder, 'poster.pdf'), pdf)
    const fonts = execFileSync('pdffonts', [join(folder, 'poster.pdf')]).toString()
    rmSync(folder, { recursive: true })
    const embedded = fonts.split('\n').filter((line) => /ReadexPro/.test(line))
    expect(embedded.length).toBeGreaterThanOrEqual(3)
    for (const line of embedded) expect(line).toMatch(/yes\s+yes/)
  },
)

test('T8 a language that lacks a text is not offered; the others are', async () => {
  await owner(`update services set names = names - 'ar' where tenant_id = $1 and code = 'A'`, [hall.tenant.id])
  const { body } = await ask('GET', '/languages/')
  const arabic = body['results'].find((each: Json) => each['language'] === 'ar')
  expect(arabic['missing']).toHaveLength(1)
  expect(arabic['texts']).toBeGreaterThan(3)
  expect((await ask('PUT', '/languages/ar/', { is_published: false })).status).toBe(200)
  const refused = await ask('PUT', '/languages/ar/', { is_published: true })
  expect(refused).toMatchObject({ status: 409, body: { code: 'translation_missing' } })
  expect(refused.body['missing']).toEqual(arabic['missing'])
  expect((await ask('PUT', '/languages/en/', { is_published: true })).status).toBe(200)
  expect((await ask('GET', '/')).body['languages']).toEqual(['fr', 'en'])
  // A message of the organisation's own in one language is missing in the others.
  await ask('POST', '/templates/', { event: 'called', channel: 'sms', language: 'fr', body: '{number}' })
  expect((await ask('PUT', '/languages/en/', { is_published: true })).body['code']).toBe('translation_missing')
  await ask('PUT', '/languages/en/', { is_published: false })
  expect((await ask('PUT', '/languages/fr/', { is_published: false })).body['code']).toBe('last_language')
  await owner(`update services set names = names || '{"ar":"خدمة"}' where tenant_id = $1`, [hall.tenant.id])
  await owner('delete from message_templates where tenant_id = $1', [hall.tenant.id])
  for (const language of ['en', 'ar'])
    expect((await ask('PUT', `/languages/${language}/`, { is_published: true })).status).toBe(200)
})

test('T4 a colour that cannot be read is refused, with the nearest one that can', async () => {
  const refused = await ask('PATCH', '/', { brand_colour: '#FFC93C' })
  expect(refused.status).toBe(400)
  expect(refused.body['errors'][0]).toMatchObject({ path: '/brand_colour', code: 'contrast' })
  const nearest = /#[0-9A-F]{6}/.exec(refused.body['errors'][0].detail)![0]
  expect((await ask('PATCH', '/', { brand_colour: nearest })).body['brand_colour']).toBe(nearest)
  expect((await ask('PATCH', '/', { brand_colour: null })).body['brand_colour']).toBeNull()
  expect((await ask('PATCH', '/', { brand_colour: '#0a4da3' }, anonymousActor)).status).toBe(401)
})

test('several who set up the same place at once are all told what came of it', async () => {
  const wanted = { template: 'town_hall', name: 'Annex', counters: 1 }
  const answers = await Promise.all(Array.from({ length: 4 }, () => ask('POST', '/setup/', wanted)))
  expect(answers.map(({ status }) => status)).toContain(201)
  for (const { status, body } of answers)
    if (status !== 201) expect([status, body['code']]).toEqual([409, expect.stringMatching(/_taken$/)])
})
