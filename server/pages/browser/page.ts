import { languageTag, type Language } from '../../../shared/format.ts'

/** What the server put into the page for its script. */
export interface PageData {
  locale: Language
  texts: Record<string, string>
}
export const data = <Data extends PageData>(): Data => JSON.parse(document.getElementById('data')!.textContent!) as Data
const { locale, texts } = data()

/** A text of the catalogue: `{name}`, and ICU plurals without nesting, as the pages' texts use them. */
export function text(key: string, params: Record<string, string | number> = {}): string {
  const message = (texts[key] ?? key).replace(
    /\{(\w+), plural, ((?:[^{}]|\{[^{}]*\})*)\}/g,
    (_, name: string, forms: string) => {
      const count = Number(params[name])
      const form = new Map([...forms.matchAll(/(=\d+|\w+) \{([^{}]*)\}/g)].map((match) => [match[1]!, match[2]!]))
      const category = new Intl.PluralRules(languageTag(locale)).select(count)
      return (form.get(`=${count}`) ?? form.get(category) ?? form.get('other') ?? '').replaceAll('#', String(count))
    },
  )
  return message.replace(/\{(\w+)(?:, number)?\}/g, (_, name: string) => String(params[name] ?? ''))
}

export const element = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E
