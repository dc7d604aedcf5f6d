import { translate } from '../../../kernel/i18n.ts'
import type { Locale } from '../../../kernel/schema.ts'
import { numeral } from './numerals.ts'

/** A call as it is announced. */
export interface Spoken {
  number: string
  counter_name: string | null
}

/** Letters of the Latin alphabet as Arabic speakers say them. */
const ARABIC_LETTERS = 'إِيه,بِي,سِي,دِي,إِي,إِف,جِي,إِتْش,آي,جِيه,كِيه,إِل,إِم,إِن,أُو,پِي,كِيُو,آر,إِس,تِي,يُو,ڤِي,دَبْلِيُو,إِكْس,وَاي,زِد'.split(
  ',',
)
const letterOf = (letter: string, language: Locale) =>
  language === 'ar' ? ARABIC_LETTERS[letter.charCodeAt(0) - 65]! : letter

/** What a ticket's number consists of: its letters and figures one by one, and the number without leading zeros. */
export function partsOf(number: string): { prefix: string[]; value: number } {
  const [, prefix = '', digits = '0'] = /^([A-Z0-9]*[A-Z])?(\d{1,7})$/.exec(number) ?? []
  return { prefix: prefix.split(''), value: Number(digits) }
}

/** The figure at the end of a counter's name, as walls show it, or null where it has none. */
export function counterNumber(name: string | null): number | null {
  const digits = /(\d{1,7})\s*$/.exec(name ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}

/**
 * The code of a ticket as it is read aloud: `A007` is “A, sept”. The pauses keep a lone letter a letter: in English it
 * would be an article.
 */
function spokenCode(number: string, language: Locale): string {
  const { prefix, value } = partsOf(number)
  const pause = language === 'ar' ? '، ' : ', '
  const signs = prefix.map((sign) => (/\d/.test(sign) ? numeral(Number(sign), language) : letterOf(sign, language)))
  return [...signs, numeral(value, language)].join(pause)
}

/** The sentence of a call in a language. Names of counters are read as they were written. */
export function sentenceOf({ number, counter_name }: Spoken, language: Locale): string {
  const ticket = spokenCode(number, language)
  const counter = counterNumber(counter_name)
  if (counter !== null) return translate(language, 'voice.counter', { ticket, counter: numeral(counter, language) })
  // Brackets would be read as phonemes.
  const place = (counter_name ?? '').replace(/[^\p{L}\p{M}\p{N}\s'’.,-]/gu, ' ').trim()
  return place ? translate(language, 'voice.place', { ticket, place }) : translate(language, 'voice.call', { ticket })
}
