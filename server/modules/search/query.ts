import { fold } from './fold.ts'

const MAX_WORDS = 8
const MAX_WORD = 40
/** Fewer digits are in too many numbers. */
const MIN_DIGITS = 4

/** What somebody typed, as the engines look for it. */
export interface Query {
  /** Folded, without quotes or operators: letters and digits only. */
  words: readonly string[]
  /** The words with two neighbouring letters of each put back, as a tsquery; null where no word is long enough. */
  slips: string | null
  /** Digits of a telephone number as far as they were typed, without the zeros a country leaves out abroad. */
  digits: string | null
  /** Beginning of a ticket's number, with its letters; or digits alone, to which every letter may belong. */
  number: string | null
  /** Of an appointment. */
  code: string | null
}

/** Null when nothing is left that could be looked for. */
export function parseQuery(typed: string): Query | null {
  const folded = fold(typed)
  const words = [...new Set(folded.split(' ').filter(Boolean))]
    .slice(0, MAX_WORDS)
    .map((word) => word.slice(0, MAX_WORD))
  if (words.length === 0) return null
  const joined = folded.replaceAll(' ', '')
  const digits = /^\d+$/.test(joined) ? joined.replace(/^0+/, '') : ''
  return {
    words,
    slips: words.some((word) => swapped(word).length > 0) ? words.map(anyOf).join(' & ') : null,
    digits: digits.length >= MIN_DIGITS ? digits : null,
    number: /^[a-z]{0,4}\d{1,6}$/.test(joined) ? joined.toUpperCase() : null,
    code: /^\d{6}$/.test(joined) ? joined : null,
  }
}

/** The word with each pair of neighbouring letters changed round; short words and numbers would become too many others. */
const swapped = (word: string): string[] =>
  /^[^\d]{4,20}$/.test(word)
    ? Array.from({ length: word.length - 1 }, (_, i) => word.slice(0, i) + word[i + 1] + word[i] + word.slice(i + 2))
    : []
const anyOf = (word: string) => `(${[word, ...swapped(word)].map((each) => `'${each}':*`).join(' | ')})`

/**
 * How well words answer a text, 0 to 1: each word by the best of the text's. Whole words before beginnings, these before what
 * merely resembles, so that both engines put what they find in the same order.
 */
export function scoreOf({ words, digits, number, code }: Query, text: string): number {
  const there = fold(text).split(' ')
  const whole = there.join('')
  if (digits !== null && whole.includes(digits)) return 1
  if (number !== null && there.includes(number.toLowerCase())) return 1
  if (code !== null && there.includes(code)) return 1
  const sum = words.reduce((total, word) => total + Math.max(...there.map((other) => likeness(word, other))), 0)
  return Math.round((sum / words.length) * 1000) / 1000
}

function likeness(word: string, other: string): number {
  if (word === other) return 1
  if (other.startsWith(word)) return 0.9
  if (word.length > 2 && other.includes(word)) return 0.75
  if (swapped(word).some((each) => other.startsWith(each))) return 0.7
  return 0.65 * similarity(trigrams(word), trigrams(other))
}

/** As pg_trgm forms them: two blanks before a word, one behind. */
function trigrams(word: string): Set<string> {
  const padded = `  ${word} `
  return new Set(Array.from({ length: padded.length - 2 }, (_, i) => padded.slice(i, i + 3)))
}
function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((trigram) => b.has(trigram)).length
  return shared / (a.size + b.size - shared)
}
