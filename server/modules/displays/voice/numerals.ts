import type { Locale } from '../../../kernel/schema.ts'

/** What ticket numbers reach. */
const MOST_NUMERAL = 9_999_999

/**
 * A whole number in words, as it is read aloud: a program that speaks reads figures by its own rules, which are those
 * of another country in French and none that people use in Arabic. Arabic carries its vowels, for the same reason.
 * @throws RangeError outside 0 to 9 999 999
 */
export function numeral(number: number, language: Locale): string {
  if (!Number.isInteger(number) || number < 0 || number > MOST_NUMERAL)
    throw new RangeError(`no ticket has the number ${number}`)
  return NUMERALS[language](number)
}

const NUMERALS: Record<Locale, (number: number) => string> = {
  fr: (number) => french(number),
  en: english,
  ar: arabic,
}

/** `text` split at its commas. */
const list = (text: string) => text.split(',')

const FRENCH = list(
  'zéro,un,deux,trois,quatre,cinq,six,sept,huit,neuf,dix,onze,douze,treize,quatorze,quinze,seize,dix-sept,dix-huit,dix-neuf',
)
const FRENCH_TENS = list(',,vingt,trente,quarante,cinquante,soixante,soixante,quatre-vingt,quatre-vingt')

/** `isLast`: nothing follows, so that twenties and hundreds have their plural (quatre-vingts, but quatre-vingt mille). */
function french(number: number, isLast = true): string {
  if (number < 20) return FRENCH[number]!
  if (number < 100) {
    const tens = Math.floor(number / 10)
    // Seventy and ninety count on from sixty and eighty.
    const rest = number - (tens === 7 || tens === 9 ? tens - 1 : tens) * 10
    if (rest === 0) return FRENCH_TENS[tens]! + (tens === 8 && isLast ? 's' : '')
    return `${FRENCH_TENS[tens]}${(rest === 1 || rest === 11) && tens < 8 ? ' et ' : '-'}${FRENCH[rest]}`
  }
  const [size, word] = number < 1000 ? [100, 'cent'] : number < 1_000_000 ? [1000, 'mille'] : [1_000_000, 'million']
  const many = Math.floor(number / size)
  const rest = number % size
  const hasPlural = many > 1 && word !== 'mille' && (word === 'million' || (rest === 0 && isLast))
  return [
    many > 1 || word === 'million' ? french(many, word === 'million') : '',
    word + (hasPlural ? 's' : ''),
    rest > 0 ? french(rest, isLast) : '',
  ]
    .filter(Boolean)
    .join(' ')
}

const ENGLISH = list(
  'zero,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,thirteen,fourteen,fifteen,sixteen,seventeen,eighteen,nineteen',
)
const ENGLISH_TENS = list(',,twenty,thirty,forty,fifty,sixty,seventy,eighty,ninety')

function english(number: number): string {
  if (number < 20) return ENGLISH[number]!
  if (number < 100) {
    const rest = number % 10
    return ENGLISH_TENS[Math.floor(number / 10)]! + (rest ? `-${ENGLISH[rest]}` : '')
  }
  const [size, word] =
    number < 1000 ? [100, 'hundred'] : number < 1_000_000 ? [1000, 'thousand'] : [1_000_000, 'million']
  const rest = number % size
  const tail = rest === 0 ? '' : rest < 100 ? ` and ${english(rest)}` : ` ${english(rest)}`
  return `${english(Math.floor(number / size))} ${word}${tail}`
}

/** Counting forms, as numbers are called out that count nothing. */
const ARABIC = list(
  'صِفْر,وَاحِد,اِثْنَان,ثَلَاثَة,أَرْبَعَة,خَمْسَة,سِتَّة,سَبْعَة,ثَمَانِيَة,تِسْعَة,عَشَرَة,أَحَدَ عَشَر,اِثْنَا عَشَر,ثَلَاثَةَ عَشَر,أَرْبَعَةَ عَشَر,خَمْسَةَ عَشَر,سِتَّةَ عَشَر,سَبْعَةَ عَشَر,ثَمَانِيَةَ عَشَر,تِسْعَةَ عَشَر',
)
const ARABIC_TENS = list(',,عِشْرُون,ثَلَاثُون,أَرْبَعُون,خَمْسُون,سِتُّون,سَبْعُون,ثَمَانُون,تِسْعُون')
const ARABIC_HUNDREDS = list(',مِئَة,مِئَتَان,ثَلَاثُمِئَة,أَرْبَعُمِئَة,خَمْسُمِئَة,سِتُّمِئَة,سَبْعُمِئَة,ثَمَانِمِئَة,تِسْعُمِئَة')
/** One, two, three to ten, eleven to ninety-nine, and whole hundreds of them. */
const THOUSANDS = list('أَلْف,أَلْفَان,آلَاف,أَلْفًا,أَلْف')
const MILLIONS = list('مِلْيُون,مِلْيُونَان,مَلَايِين,مِلْيُونًا,مِلْيُون')

/** Units come before tens, and every part but the first is joined by “and”. */
function arabic(number: number): string {
  const parts: string[] = []
  const groups: [number, string[]][] = [
    [Math.floor(number / 1_000_000), MILLIONS],
    [Math.floor(number / 1000) % 1000, THOUSANDS],
  ]
  for (const [many, words] of groups) if (many > 0) parts.push(arabicOf(many, words))
  const rest = number % 1000
  if (rest > 0 || parts.length === 0) parts.push(arabicBelowThousand(rest))
  return parts.join(' وَ')
}

/** Two hundred as it stands before what it counts. */
const ARABIC_TWO_HUNDRED = 'مِئَتَا'

function arabicOf(many: number, words: string[]): string {
  if (many <= 2) return words[many - 1]!
  const end = many % 100
  // A hundred and one thousand: a hundred thousand, and a thousand.
  if (end === 1 || end === 2) return `${arabicOf(many - end, words)} وَ${words[end - 1]}`
  if (many === 200) return `${ARABIC_TWO_HUNDRED} ${words[4]}`
  const word = end >= 3 && end <= 10 ? words[2] : end > 10 ? words[3] : words[4]
  return `${arabicBelowThousand(many)} ${word}`
}

function arabicBelowThousand(number: number): string {
  const rest = number % 100
  const small =
    rest < 20
      ? ARABIC[rest]!
      : [...(rest % 10 ? [ARABIC[rest % 10]!] : []), ARABIC_TENS[Math.floor(rest / 10)]!].join(' وَ')
  if (number < 100) return small
  const hundreds = ARABIC_HUNDREDS[Math.floor(number / 100)]!
  return rest === 0 ? hundreds : `${hundreds} وَ${small}`
}
