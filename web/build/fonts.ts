import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import subsetFont from 'subset-font'
import { ROOT } from './paths.ts'

export type FontSet = 'public' | 'staff'

interface Face {
  family: string
  /** File of a package, below node_modules. */
  source: string
  /** Characters it keeps; absent: the file as it is. */
  text?: string
  weights: { min: number; max: number }
  /** Alternative figures and forms are kept: tables of figures need them. */
  hasAlternates?: boolean
  /** Characters the browser loads it for. */
  range: string
  script: 'latin' | 'arabic'
}

const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')
/** What French and English need beside it, and the signs that screens use. */
const LATIN = `${ASCII}ÀÂÆÇÉÈÊËÎÏÔŒÙÛÜàâæçéèêëîïôœùûüÿ«»’‘“”–—…·€°×→←•\u00a0\u202f`
const ATKINSON =
  '@fontsource-variable/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-wght-normal.woff2'
const LATIN_RANGE = 'U+0000-00FF, U+0131, U+0152-0153, U+0178, U+2000-206F, U+20AC, U+2190-2193, U+2212'
const readex: Face = {
  family: 'Readex Pro',
  source: '@fontsource-variable/readex-pro/files/readex-pro-arabic-wght-normal.woff2',
  weights: { min: 160, max: 700 },
  range: 'U+0600-06FF, U+0750-077F, U+0870-088E, U+0890-0891, U+08A0-08FF, U+200C-200E, U+2010-2011, U+FB50-FEFF',
  script: 'arabic',
}
const atkinson = (weights: Face['weights'], hasAlternates: boolean): Face => ({
  family: 'Atkinson Hyperlegible Next',
  source: ATKINSON,
  text: LATIN,
  weights,
  hasAlternates,
  range: LATIN_RANGE,
  script: 'latin',
})
/** Phones get one small file for all weights; staff and walls also tabular figures and a heavier weight. */
const SETS: Record<FontSet, Face[]> = {
  public: [atkinson({ min: 400, max: 700 }, false), readex],
  staff: [atkinson({ min: 400, max: 800 }, true), readex],
}

interface FontFile {
  name: string
  bytes: Buffer
  script: Face['script']
}
export interface BuiltFonts {
  css: string
  files: FontFile[]
}

/**
 * What Latin letters are drawn with until the face has come: as wide, and as high, as it will be, so that no line breaks
 * anew. `regular` and `bold`: how much wider the face is, measured on texts of the screens.
 */
const STAND_INS = [
  // Whoever has Arial's widths; one file makes both weights.
  {
    family: 'Latin Fallback',
    regular: ['Arial', 'Liberation Sans', 'Helvetica'],
    bold: [],
    scale: { regular: 0.99, bold: undefined },
  },
  // Android.
  {
    family: 'Roboto Fallback',
    regular: ['Roboto', 'Roboto-Regular'],
    bold: ['Roboto Bold', 'Roboto-Bold'],
    scale: { regular: 0.996, bold: 1.054 },
  },
  // Linux without anything else.
  {
    family: 'DejaVu Fallback',
    regular: ['DejaVu Sans'],
    bold: ['DejaVu Sans Bold'],
    scale: { regular: 0.871, bold: 0.831 },
  },
]
/** Heights of the face, in parts of its size. */
const ASCENT = 0.98
const DESCENT = 0.32

function standIn(family: string, names: readonly string[], scale: number, weights: string): string {
  const percent = (value: number) => `${Number((value * 100).toFixed(1))}%`
  const local = names.map((name) => `local("${name}")`).join(',')
  // Heights are scaled with the letters.
  const heights = `ascent-override:${percent(ASCENT / scale)};descent-override:${percent(DESCENT / scale)};line-gap-override:0%`
  return `@font-face{font-family:"${family}";font-style:normal;font-display:swap;${weights}src:${local};size-adjust:${percent(scale)};${heights}}`
}
const FALLBACK = STAND_INS.flatMap(({ family, regular, bold, scale }) =>
  scale.bold === undefined
    ? [standIn(family, regular, scale.regular, '')]
    : [
        standIn(family, regular, scale.regular, 'font-weight:400 599;'),
        standIn(family, bold, scale.bold, 'font-weight:600 800;'),
      ],
).join('\n')

/** Where subset fonts wait for the next build: making them takes longer than everything else. */
const CACHE = `${ROOT}node_modules/.cache/smartqueue-fonts/`

/** The faces of a set as files with a hash in their names, and the style that declares them. */
export async function buildFonts(set: FontSet): Promise<BuiltFonts> {
  const built = await Promise.all(
    SETS[set].map(async (face) => {
      const bytes = await subset(face)
      const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 8)
      const name = `${face.family.toLowerCase().replaceAll(' ', '-')}-${set}-${hash}.woff2`
      const css = `@font-face{font-family:"${face.family}";font-style:normal;font-display:swap;font-weight:${face.weights.min} ${face.weights.max};src:url(/assets/fonts/${name}) format("woff2");unicode-range:${face.range}}`
      return { css, file: { name, bytes, script: face.script } }
    }),
  )
  return { css: [...built.map(({ css }) => css), FALLBACK].join('\n'), files: built.map(({ file }) => file) }
}

async function subset(face: Face): Promise<Buffer> {
  const source = await readFile(`${ROOT}node_modules/${face.source}`)
  if (!face.text) return source
  const key = createHash('sha256').update(source).update(JSON.stringify(face)).digest('hex').slice(0, 24)
  const cached = `${CACHE}${key}.woff2`
  try {
    return await readFile(cached)
  } catch {
    const bytes = await subsetFont(source, face.text, {
      targetFormat: 'woff2',
      variationAxes: { wght: face.weights },
      ...(!face.hasAlternates && { noLayoutClosure: true }),
    })
    await mkdir(CACHE, { recursive: true })
    await writeFile(cached, bytes)
    return bytes
  }
}
