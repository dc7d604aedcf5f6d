import { LINE_COLOURS, SHAPES } from './schema.ts'

/** URL form of a name: `Mairie d'Évry` → `mairie-d-evry`; `fallback` where no Latin letter or digit is left. */
export function slugOf(name: string, fallback: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '')
  return slug || fallback
}

/** `wanted`, or `wanted-2`, `wanted-3` … whichever is not taken. */
export function freeSlug(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const slug = n === 1 ? wanted : `${wanted}-${n}`
    if (!taken.has(slug)) return slug
  }
}

/** First of A … Z, AA … ZZ that no service of the tenant has. */
export function freeCode(taken: ReadonlySet<string>): string | undefined {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i))
  return [...letters, ...letters.flatMap((first) => letters.map((second) => first + second))].find(
    (code) => !taken.has(code),
  )
}

/** Colour and shape of a line by its code, so that neighbours in the alphabet never look alike. */
export function lineLook(code: string): { colour: string; shape: (typeof SHAPES)[number] } {
  const index = code.split('').reduce((sum, character) => sum + character.charCodeAt(0) - 65, 0)
  const at = ((index % SHAPES.length) + SHAPES.length) % SHAPES.length
  return { colour: LINE_COLOURS[at]!, shape: SHAPES[at]! }
}
