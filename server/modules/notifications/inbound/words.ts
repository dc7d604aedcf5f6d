/** What an answer means. Everything else is text for the counter. */
export type Meaning = 'stop' | 'start' | 'late' | 'coming' | 'cancel' | 'text'

const WORDS: Record<Exclude<Meaning, 'text'>, readonly string[]> = {
  stop: ['stop', 'stopall', 'arret', 'arreter', 'unsubscribe', 'desabonner', 'quit', 'end', 'ايقاف', 'توقف', 'قف'],
  start: ['start', 'unstop', 'reprendre', 'استئناف', 'ابدا'],
  late: ['late', 'delay', 'retard', 'en retard', 'i am late', 'je suis en retard', 'تاخير', 'متاخر', 'ساتاخر'],
  coming: ['yes', 'y', 'ok', 'coming', 'on my way', 'oui', 'o', "j'arrive", 'jarrive', 'نعم', 'قادم', 'انا قادم'],
  cancel: ['cancel', 'leave', 'no', 'n', 'annuler', 'annule', 'non', 'الغاء', 'لا'],
}

/** Letters as people tell them apart on a phone: no case, accents, vowel marks, hamza or punctuation. */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\p{M}ـ]/gu, '')
    .replace(/[’`]/g, "'")
    .replace(/[^\p{L}\p{N}' ]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()
}

/** @returns the meaning of an answer that is one known word or phrase in French, English or Arabic */
export function meaningOf(text: string): Meaning {
  const folded = fold(text)
  for (const [meaning, words] of Object.entries(WORDS)) if (words.includes(folded)) return meaning as Meaning
  return 'text'
}
