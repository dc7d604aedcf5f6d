import { globSync, readFileSync } from 'node:fs'
import { IntlMessageFormat } from 'intl-messageformat'
import { expect, test } from 'vitest'
import { AGENT_STATUSES, QUEUE_STATUSES, TicketStatus } from '../ticket-status.ts'
import ar from './ar.json' with { type: 'json' }
import en from './en.json' with { type: 'json' }
import fr from './fr.json' with { type: 'json' }

const FOLDER = new URL('./', import.meta.url)
/** The texts of everybody, and those of the screens, as one catalogue a language. */
function whole(language: string, common: Record<string, string>): Record<string, string> {
  const screens = globSync(`screens/*.${language}.json`, { cwd: FOLDER }).toSorted()
  const texts = screens.map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Record<string, string>)
  for (const [index, file] of screens.entries()) {
    const prefix = `${/([\w-]+)\.\w+\.json$/.exec(file)![1]}.`
    expect(Object.keys(texts[index]!).filter((key) => !key.startsWith(prefix))).toEqual([])
  }
  return Object.assign({}, common, ...texts) as Record<string, string>
}
const catalogues: Record<string, Record<string, string>> = {
  fr: whole('fr', fr),
  en: whole('en', en),
  ar: whole('ar', ar),
}
const keys = Object.keys(catalogues['fr']!)

type Elements = ReturnType<IntlMessageFormat['getAst']>
const parse = (message: string): Elements => new IntlMessageFormat(message, 'fr').getAst()
/** The message with the messages inside its plural and select forms. */
const allElements = (elements: Elements): Elements =>
  elements.flatMap((element) =>
    'options' in element
      ? [element, ...Object.values(element.options).flatMap((form) => allElements(form.value))]
      : [element],
  )
/** Names and kinds of the values a message takes; literal text (0) and the `#` of a plural (7) are none. */
const signature = (message: string) => {
  const values = allElements(parse(message)).filter(({ type }) => type !== 0 && type !== 7)
  return [...new Set(values.map((element) => `${'value' in element && element.value}:${element.type}`))].toSorted()
}

test('the three catalogues hold the same keys in the same order', () => {
  expect(Object.keys(catalogues['en']!)).toEqual(keys)
  expect(Object.keys(catalogues['ar']!)).toEqual(keys)
})

test('every text of the server’s own pages is said on one of them', () => {
  const sources = globSync('{server/pages,server/modules}/**/*.ts', { cwd: new URL('../../', import.meta.url) })
  const code = sources.map((file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).join()
  const isSaid = (key: string) => code.includes(`'${key}'`) || /^page\.(level|status|part|health)_/.test(key)
  expect(keys.filter((key) => key.startsWith('page.') && !isSaid(key))).toEqual([])
})

test.each(Object.keys(catalogues))('every message of %s takes the same values as the French one', (language) => {
  const signatures = keys.map((key) => [key, signature(catalogues[language]![key]!)])
  expect(signatures).toEqual(keys.map((key) => [key, signature(catalogues['fr']![key]!)]))
})

test.each(Object.keys(catalogues))('messages of %s are clean text', (language) => {
  // In ICU messages the straight apostrophe quotes; the typographic one is right in text anyway. Short messages keep
  // the straight one before letters, where it does not quote: the other would double their price (GSM 03.38 has none).
  const quotes = (key: string, text: string) => (key.startsWith('message.') ? /'(?!\p{L})/u : /'/).test(text)
  const isUnclean = ([key, text]: [string, string]) =>
    text === '' || text.trim() !== text || text.normalize('NFC') !== text || quotes(key, text)
  expect(Object.entries(catalogues[language]!).filter(isUnclean)).toEqual([])
})

test.each(Object.keys(catalogues))('counts have every plural form that %s knows', (language) => {
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted()
  const counts = Object.entries(catalogues[language]!).filter(([, message]) => message.includes('plural,'))
  const formsOf = (message: string) =>
    parse(message).flatMap((element) => ('pluralType' in element ? Object.keys(element.options) : []))
  const found = counts.map(([key, message]) => [
    key,
    formsOf(message)
      .filter((form) => !form.startsWith('='))
      .toSorted(),
  ])
  expect(found).toEqual(counts.map(([key]) => [key, forms]))
  expect(counts.length).toBeGreaterThan(0)
})

test('every state has a label', () => {
  const labels = (prefix: string) => keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
  expect(labels('ticket_status.')).toEqual(Object.keys(TicketStatus))
  expect(labels('agent_status.')).toEqual([...AGENT_STATUSES])
  expect(labels('queue_status.')).toEqual([...QUEUE_STATUSES])
})

test('Arabic is written in Arabic', () => {
  expect(keys.filter((key) => !/\p{Script=Arabic}/u.test(catalogues['ar']![key]!))).toEqual([])
})
