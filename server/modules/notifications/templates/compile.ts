import { IntlMessageFormat } from 'intl-messageformat'
import { languageTag } from '../../../../shared/format.ts'
import { invalid } from '../../../kernel/errors.ts'
import type { Locale } from '../../../kernel/schema.ts'
import { PLACEHOLDERS, SAMPLE, type MessageEvent, type MessageValues } from '../vocabulary.ts'

type Ast = ReturnType<IntlMessageFormat['getAst']>

/** Texts are kept parsed; a tenant that changes them often must not fill the memory. */
const MOST_KEPT = 2000
const kept = new Map<string, IntlMessageFormat>()

/** ICU MessageFormat and nothing beyond: no tags, no functions, values are inserted and never read again. */
function parse(text: string, language: Locale): IntlMessageFormat {
  const key = `${language} ${text}`
  let format = kept.get(key)
  if (!format) {
    format = new IntlMessageFormat(text, languageTag(language), undefined, { ignoreTag: true })
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(key, format)
  }
  return format
}

/** Values without the signs that could steer a terminal, a header or the direction of a text. */
export function plainValues(values: MessageValues): MessageValues {
  const clean = (value: string) =>
    // oxlint-disable-next-line no-control-regex -- these are what is removed
    value.replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]+/g, ' ')
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value]),
  )
}

/** The text with its values. */
export const render = (text: string, language: Locale, values: MessageValues): string =>
  String(parse(text, language).format(plainValues(values)))

/** Names a text asks for, in all its branches. */
function namesIn(ast: Ast): string[] {
  return ast.flatMap((part) => [
    ...('value' in part && part.type !== 0 ? [String(part.value)] : []),
    ...('options' in part ? Object.values(part.options).flatMap((option) => namesIn(option.value)) : []),
  ])
}

/**
 * @throws AppError invalid_input at `path`: `icu_syntax` when the text cannot be read or its values do not fit,
 *   `unknown_placeholder` with the name
 */
export function checkText(event: MessageEvent, text: string, language: Locale, path: string): void {
  let names: string[]
  try {
    names = namesIn(parse(text, language).getAst())
  } catch {
    throw invalid(path, 'icu_syntax')
  }
  const allowed: ReadonlySet<string> = new Set(PLACEHOLDERS[event])
  const unknown = names.find((name) => !allowed.has(name))
  if (unknown !== undefined) throw invalid(path, 'unknown_placeholder', { name: unknown })
  try {
    // Counts as they come: a plural without `other`, or a date made of a name, fails here and not at the counter.
    for (const count of [0, 1, 2, 5, 11, 100]) render(text, language, { ...SAMPLE, position: count, minutes: count })
  } catch {
    throw invalid(path, 'icu_syntax')
  }
}
