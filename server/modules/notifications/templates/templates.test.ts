import { beforeAll, describe, expect, test } from 'vitest'
import { aTenant, type TenantFixture } from '../../../test/factories.ts'
import { testDatabase } from '../../../test/harness.ts'
import { caller, testRuntime } from '../../../test/runtime.ts'
import { operations } from '../index.ts'
import { MESSAGE_EVENTS, SAMPLE } from '../vocabulary.ts'
import { checkText, render } from './compile.ts'
import { smsSegments } from './segments.ts'
import { textOf } from './text.ts'

const { db, owner } = await testDatabase()
const as = caller(testRuntime(db), operations)
let bank: TenantFixture
let run: ReturnType<typeof as>
beforeAll(async () => {
  bank = await aTenant(owner, { slug: 'texts' })
  run = as(bank.admin, bank.tenant)
})
const refusal = (work: () => void) => {
  try {
    work()
    return 'ok'
  } catch (error) {
    return (error as { fields: { path: string; code: string }[] }).fields.map(({ path, code }) => `${path} ${code}`)
  }
}

describe('what a template may say', () => {
  test.each([
    ['{number}, {counter}', 'ok'],
    ['{position, plural, one {#} other {#}}', ['/body unknown_placeholder']],
    ['{tenant.__proto__}', ['/body icu_syntax']],
    ['{constructor}', ['/body unknown_placeholder']],
    ['{number', ['/body icu_syntax']],
    ['{number, date, short}', ['/body icu_syntax']],
    ['{counter, select, 3 {{password}} other {}}', ['/body unknown_placeholder']],
    ['{counter, select, 3 {x}}', ['/body icu_syntax']],
    ['<script>{number}</script>', 'ok'],
  ])('%s', (text, expected) => {
    expect(refusal(() => checkText('called', text, 'fr', '/body'))).toEqual(expected)
  })

  test('values are inserted and never read: no message, no markup, no line of a header', () => {
    const values = { ...SAMPLE, name: '{link} <b>\r\nBcc: x@evil.example\u202e' }
    expect(render('{name}!', 'fr', values)).toBe('{link} <b> Bcc: x@evil.example !')
    // Control: inserted before the text is read, the same name becomes part of the message.
    expect(render('{name}!'.replace('{name}', values.name), 'fr', values)).toContain(String(SAMPLE['link']))
  })
})

test('each event has a text in each language, whole with the values it names; French and English fit into GSM-7', () => {
  for (const event of MESSAGE_EVENTS) {
    for (const language of ['fr', 'en', 'ar'] as const) {
      const { subject, body } = textOf([], event, 'email', language, SAMPLE)
      expect(subject, `${event} ${language}`).not.toMatch(/message\.|[{}]/)
      expect(body, `${event} ${language}`).not.toMatch(/message\.|[{}]/)
      const { encoding, segments } = smsSegments(body)
      expect([event, language, encoding]).toEqual([event, language, language === 'ar' ? 'ucs2' : 'gsm7'])
      expect(segments).toBeLessThanOrEqual(language === 'ar' ? 3 : 2)
    }
  }
  const left = (minutes: number) =>
    textOf([], 'minutes_left', 'sms', 'ar', { ...SAMPLE, minutes })
      .body.split('تبقى ')[1]!
      .split(' تقريبا')[0]
  expect([0, 1, 2, 3, 11, 100].map(left)).toEqual([
    'أقل من دقيقة',
    'دقيقة واحدة',
    'دقيقتان',
    '3 دقائق',
    '11 دقيقة',
    '100 دقيقة',
  ])
})

test.each([
  ['', 'gsm7', 0, 1],
  ['a'.repeat(160), 'gsm7', 160, 1],
  ['a'.repeat(161), 'gsm7', 161, 2],
  ['a'.repeat(306), 'gsm7', 306, 2],
  ['a'.repeat(307), 'gsm7', 307, 3],
  ['€'.repeat(80), 'gsm7', 160, 1],
  // An escaped sign is not cut in half: the first segment holds 152 of 153.
  [`${'€'.repeat(76)}${'€'.repeat(77)}`, 'gsm7', 306, 3],
  ['é'.repeat(160), 'gsm7', 160, 1],
  ['ê'.repeat(70), 'ucs2', 70, 1],
  ['ê'.repeat(71), 'ucs2', 71, 2],
  ['م'.repeat(134), 'ucs2', 134, 2],
  ['م'.repeat(135), 'ucs2', 135, 3],
  [`${'x'.repeat(66)}😀${'x'.repeat(66)}`, 'ucs2', 134, 3],
] as const)('segments of %j', (text, encoding, units, segments) => {
  expect(smsSegments(text)).toEqual({ encoding, units, segments })
})

describe('templates of an organisation', () => {
  const template = { event: 'called', channel: 'sms', language: 'fr', body: 'Venez {number}, {counter}' }

  test('take the place of the program’s, for one event, channel and language', async () => {
    const { id } = await run('templates.create', template)
    const shown = await run('templates.preview', { event: 'called', channel: 'sms', language: 'fr' })
    expect(shown).toEqual({
      subject: '',
      body: 'Venez A042, 3',
      encoding: 'gsm7',
      units: 13,
      segments: 1,
      cost_micros: null,
      currency: null,
    })
    await run('templates.setPrice', { channel: 'sms', price_micros: 45_000, currency: 'EUR' })
    const long = await run('templates.preview', {
      event: 'called',
      channel: 'sms',
      language: 'fr',
      body: `Venez ${'ê'.repeat(80)}`,
    })
    expect(long).toMatchObject({ encoding: 'ucs2', segments: 2, cost_micros: 90_000, currency: 'EUR' })
    expect((await run('templates.preview', { event: 'called', channel: 'email', language: 'fr' })).subject).toMatch(
      /A042/,
    )
    await run('templates.create', { ...template, channel: 'email', subject: 'À vous, {number}' })
    expect(await run('templates.preview', { event: 'called', channel: 'email', language: 'fr' })).toMatchObject({
      subject: 'À vous, A042',
    })
    const { results } = await run('templates.events')
    const called = results.find(({ event }: { event: string }) => event === 'called')
    expect(called.placeholders).toContain('counter')
    expect(called.texts.filter(({ is_own }: { is_own: boolean }) => is_own)).toHaveLength(2)
    await expect(run('templates.create', template)).rejects.toMatchObject({ code: 'already_exists' })
    await expect(run('templates.update', { id, body: '{position}' })).rejects.toMatchObject({
      fields: [{ path: '/body', code: 'unknown_placeholder', params: { name: 'position' } }],
    })
  })

  test('are behind the wall, and agents only read them', async () => {
    const other = await aTenant(owner, { slug: 'texts-elsewhere' })
    const { results } = await as(other.admin, other.tenant)('templates.list')
    expect(results).toEqual([])
    const shown = await as(other.admin, other.tenant)('templates.preview', {
      event: 'called',
      channel: 'sms',
      language: 'fr',
    })
    expect(shown.body).not.toMatch(/^Venez/)
    const agent = as(bank.agentActors[0]!, bank.tenant)
    expect((await agent('templates.list')).results).toHaveLength(2)
    await expect(agent('templates.create', { ...template, language: 'en' })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })
})
