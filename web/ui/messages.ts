import { languageTag, type Language } from '../../shared/format.ts'
import type analyticsTexts from '../../shared/locales/screens/analytics.en.json'
import type adminTexts from '../../shared/locales/screens/admin.en.json'
import type bookingTexts from '../../shared/locales/screens/booking.en.json'
import type common from '../../shared/locales/en.json'
import type consoleTexts from '../../shared/locales/screens/console.en.json'
import type floorTexts from '../../shared/locales/screens/floor.en.json'
import type findTexts from '../../shared/locales/screens/find.en.json'
import type kioskTexts from '../../shared/locales/screens/kiosk.en.json'
import type moreTexts from '../../shared/locales/screens/more.en.json'
import type developerTexts from '../../shared/locales/screens/developer.en.json'
import type displayTexts from '../../shared/locales/screens/display.en.json'
import type platformTexts from '../../shared/locales/screens/platform.en.json'
import type nearbyTexts from '../../shared/locales/screens/nearby.en.json'
import type uiTexts from '../../shared/locales/screens/ui.en.json'
import type visitorTexts from '../../shared/locales/screens/visitor.en.json'
import type widgetTexts from '../../shared/locales/screens/widget.en.json'

/** Text, `0` for the counted number, `[name]`, `[name, 'p', forms]` of a plural or `[name, 's', forms]` of a choice. */
export type Part = string | 0 | [string] | [string, 'p' | 's', Record<string, Part[]>]
/** A message as the build compiles it. */
export type CompiledMessage = string | Part[]

type Prefixed = Extract<
  keyof typeof common,
  `${'ticket_status' | 'appointment_status' | 'agent_status_reason' | 'agent_status' | 'queue_status' | 'channel' | 'role'}.${string}`
>
export type MessageKey =
  | keyof typeof uiTexts
  | keyof typeof visitorTexts
  | keyof typeof bookingTexts
  | keyof typeof kioskTexts
  | keyof typeof nearbyTexts
  | keyof typeof moreTexts
  | keyof typeof displayTexts
  | keyof typeof widgetTexts
  | keyof typeof consoleTexts
  | keyof typeof adminTexts
  | keyof typeof platformTexts
  | keyof typeof developerTexts
  | keyof typeof analyticsTexts
  | keyof typeof floorTexts
  | keyof typeof findTexts
  | Prefixed
export type Params = Record<string, string | number>

const catalogues = new Map<Language, Readonly<Record<string, CompiledMessage>>>()
let current: Language = 'fr'

/** Called by the generated module of a language; several languages may be there at once (a wall shows three). */
export function addMessages(language: Language, messages: Readonly<Record<string, CompiledMessage>>): void {
  catalogues.set(language, { ...catalogues.get(language), ...messages })
}
/** The language of what is drawn next. */
export function setLanguage(language: Language): void {
  current = language
}
export const currentLanguage = (): Language => current

/** A text in the current language, or in another that was added. An unknown key is a fault and shows as itself. */
export function t(key: MessageKey, params: Params = {}, language: Language = current): string {
  const message = catalogues.get(language)?.[key]
  if (message === undefined) return key
  return typeof message === 'string' ? message : write(message, params, language, 0)
}

function write(parts: readonly Part[], params: Params, language: Language, count: number): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part
      if (part === 0) return figure(count, language)
      const [name, kind, forms] = part
      const value = params[name] ?? ''
      if (!kind || !forms) return typeof value === 'number' ? figure(value, language) : value
      if (kind === 's') return write(forms[value] ?? forms['other']!, params, language, count)
      const form = forms[`=${value}`] ?? forms[category(Number(value), language)] ?? forms['other']!
      return write(form, params, language, Number(value))
    })
    .join('')
}

const plurals = new Map<Language, Intl.PluralRules>()
function category(value: number, language: Language): string {
  if (!plurals.has(language)) plurals.set(language, new Intl.PluralRules(language))
  return plurals.get(language)!.select(value)
}
const figures = new Map<Language, Intl.NumberFormat>()
function figure(value: number, language: Language): string {
  if (!figures.has(language)) figures.set(language, new Intl.NumberFormat(languageTag(language)))
  return figures.get(language)!.format(value)
}
