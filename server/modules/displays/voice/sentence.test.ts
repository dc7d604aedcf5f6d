import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { numeral } from './numerals.ts'
import { sentenceOf } from './sentence.ts'

describe('numbers in words', () => {
  test.each([
    [0, 'zéro', 'zero', 'صِفْر'],
    [7, 'sept', 'seven', 'سَبْعَة'],
    [11, 'onze', 'eleven', 'أَحَدَ عَشَر'],
    [17, 'dix-sept', 'seventeen', 'سَبْعَةَ عَشَر'],
    [21, 'vingt et un', 'twenty-one', 'وَاحِد وَعِشْرُون'],
    [42, 'quarante-deux', 'forty-two', 'اِثْنَان وَأَرْبَعُون'],
    [70, 'soixante-dix', 'seventy', 'سَبْعُون'],
    [71, 'soixante et onze', 'seventy-one', 'وَاحِد وَسَبْعُون'],
    [72, 'soixante-douze', 'seventy-two', 'اِثْنَان وَسَبْعُون'],
    [79, 'soixante-dix-neuf', 'seventy-nine', 'تِسْعَة وَسَبْعُون'],
    [80, 'quatre-vingts', 'eighty', 'ثَمَانُون'],
    [81, 'quatre-vingt-un', 'eighty-one', 'وَاحِد وَثَمَانُون'],
    [90, 'quatre-vingt-dix', 'ninety', 'تِسْعُون'],
    [91, 'quatre-vingt-onze', 'ninety-one', 'وَاحِد وَتِسْعُون'],
    [99, 'quatre-vingt-dix-neuf', 'ninety-nine', 'تِسْعَة وَتِسْعُون'],
    [100, 'cent', 'one hundred', 'مِئَة'],
    [101, 'cent un', 'one hundred and one', 'مِئَة وَوَاحِد'],
    [120, 'cent vingt', 'one hundred and twenty', 'مِئَة وَعِشْرُون'],
    [180, 'cent quatre-vingts', 'one hundred and eighty', 'مِئَة وَثَمَانُون'],
    [200, 'deux cents', 'two hundred', 'مِئَتَان'],
    [201, 'deux cent un', 'two hundred and one', 'مِئَتَان وَوَاحِد'],
    [300, 'trois cents', 'three hundred', 'ثَلَاثُمِئَة'],
    [1000, 'mille', 'one thousand', 'أَلْف'],
    [1980, 'mille neuf cent quatre-vingts', 'one thousand nine hundred and eighty', 'أَلْف وَتِسْعُمِئَة وَثَمَانُون'],
    [2000, 'deux mille', 'two thousand', 'أَلْفَان'],
    [3000, 'trois mille', 'three thousand', 'ثَلَاثَة آلَاف'],
    [11_000, 'onze mille', 'eleven thousand', 'أَحَدَ عَشَر أَلْفًا'],
    [80_000, 'quatre-vingt mille', 'eighty thousand', 'ثَمَانُون أَلْفًا'],
    [101_000, 'cent un mille', 'one hundred and one thousand', 'مِئَة أَلْف وَأَلْف'],
    [200_000, 'deux cent mille', 'two hundred thousand', 'مِئَتَا أَلْف'],
    [2_000_000, 'deux millions', 'two million', 'مِلْيُونَان'],
  ])('%d', (number, fr, en, ar) => {
    expect([numeral(number, 'fr'), numeral(number, 'en'), numeral(number, 'ar')]).toEqual(
      [fr, en, ar].map((words) => words.normalize('NFC')),
    )
  })

  test('no two numbers sound alike, and nothing beyond a ticket is read', () => {
    for (const language of ['fr', 'en', 'ar'] as const) {
      const words = Array.from({ length: 10_000 }, (_, number) => numeral(number, language))
      expect(new Set(words).size).toBe(10_000)
      expect(words.filter((text) => /\d|undefined|\s\s/.test(text))).toEqual([])
    }
    for (const number of [-1, 1.5, 10_000_000, Number.NaN]) expect(() => numeral(number, 'fr')).toThrow(RangeError)
  })
})

test.each([
  ['A007', 'Guichet 5', 'Ticket A, sept, au guichet cinq.', 'Ticket A, seven, please go to counter five.'],
  [
    'B120',
    'شباك 12',
    'Ticket B, cent vingt, au guichet douze.',
    'Ticket B, one hundred and twenty, please go to counter twelve.',
  ],
  ['1000', null, 'Ticket mille, c’est votre tour.', 'Ticket one thousand, it is your turn.'],
  [
    'A1B099',
    '[[accueil]] <b>Nord</b>',
    'Ticket A, un, B, quatre-vingt-dix-neuf, accueil',
    'Ticket A, one, B, ninety-nine, accueil',
  ],
])('%s at %s is read', (number, counter_name, fr, en) => {
  const read = (language: 'fr' | 'en' | 'ar') => sentenceOf({ number, counter_name }, language).replace(/\s+/g, ' ')
  expect(read('fr')).toContain(fr)
  expect(read('en')).toContain(en)
  expect(read('ar')).toMatch(/^التَّذْكِرَة .*\p{Script=Arabic}/u)
  for (const language of ['fr', 'en', 'ar'] as const) expect(read(language)).not.toMatch(/\d|[[\]<>]/)
})

test('the Arabic sentence names letters and numbers by words with vowels', () => {
  expect(sentenceOf({ number: 'A007', counter_name: 'Guichet 5' }, 'ar')).toBe(
    'التَّذْكِرَة إِيه، سَبْعَة، إِلَى الشُّبَّاك خَمْسَة.'.normalize('NFC'),
  )
})

const hasEspeak = spawnSync('espeak-ng', ['--version']).status === 0
if (!hasEspeak) process.stderr.write('sentence.test.ts: espeak-ng is not installed, NO SENTENCE WAS PRONOUNCED\n')

describe.skipIf(!hasEspeak)('as espeak-ng pronounces it', () => {
  const phonemes = (voice: string, text: string) =>
    execFileSync('espeak-ng', ['-q', '-x', '-v', voice, '--stdin'], { input: text }).toString().trim()
  const said = (language: 'fr' | 'en' | 'ar', voice: string) =>
    phonemes(voice, sentenceOf({ number: 'A007', counter_name: 'Guichet 5' }, language))

  test('a lone letter is a letter, and Arabic has its vowels', () => {
    expect(said('en', 'en-gb')).toMatch(/'eI\s/)
    expect(said('fr', 'fr-fr')).toMatch(/s'Et/)
    expect(said('ar', 'ar')).toMatch(/sabA/)
    // Controls: how figures and bare words come out.
    expect(phonemes('en-gb', 'Ticket A seven')).toMatch(/a#/)
    expect(phonemes('ar', 'سبعة')).not.toMatch(/sabA/)
  })
})
