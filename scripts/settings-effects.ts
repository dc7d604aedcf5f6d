import { readdirSync, readFileSync } from 'node:fs'
import type { Schema } from '../web/data/schema.ts'
import * as schemas from '../web/data/schemas.ts'

/** By file and title of a test, the settings whose effect it shows. */
export type Proofs = Readonly<Record<string, Readonly<Record<string, string>>>>

const CONSOLE = 'web/apps/console'
/** Areas of the console where people change settings. */
const AREAS = ['admin', 'developer', 'platform']
const LANGUAGES_AND_DAYS = /^(?:fr|en|ar|[1-7])$/
/** What is filled in once and begins something, and is nothing that stays. */
const ACTS = ['imports', 'setupApply']

const textOf = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')

/** Settings that the forms of the console show, as `sites.opening_hours.weekly`, by the inputs that the forms are drawn from. */
export function settingsOnScreens(): string[] {
  const found = new Set<string>()
  for (const area of AREAS)
    for (const file of readdirSync(new URL(`../${CONSOLE}/${area}/`, import.meta.url), { recursive: true })) {
      if (!/\.tsx?$/.test(String(file))) continue
      const text = textOf(`${CONSOLE}/${area}/${file}`)
      for (const [, name] of text.matchAll(/\b(\w+)Input\b/g)) {
        const schema = (schemas as Record<string, Schema>)[`${name}Input`]
        const noun = name!.replace(/(?:Create|Update|Set|SetPin|SetQuotas|Pair)$/, '')
        if (!schema || ACTS.includes(noun)) continue
        const hidden = hiddenOf(text, name!)
        for (const setting of leavesOf(schema)) if (!hidden.includes(setting)) found.add(`${noun}.${setting}`)
      }
    }
  return [...found].toSorted()
}

/** Fields that the form of this input leaves out. */
function hiddenOf(text: string, input: string): string[] {
  const at = text.indexOf(`${input}Input`)
  const [, fields = ''] = /hidden: \[([^\]]*)\]/.exec(text.slice(at, text.indexOf('\n  },', at))) ?? []
  return ['id', ...fields.split(/[\s',]+/).filter(Boolean)]
}

/** Names of all that can be filled in; texts by language and hours by weekday are one. */
function leavesOf(schema: Schema, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, whole]) => {
    const plain = whole.anyOf?.find(({ type }) => type !== 'null') ?? whole
    const inner = plain.type === 'array' ? (plain.items as Schema | undefined) : plain
    const below = Object.keys(inner?.properties ?? {})
    const isGroup = below.length > 0 && !below.every((each) => LANGUAGES_AND_DAYS.test(each))
    return isGroup ? leavesOf(inner!, `${prefix}${name}.`) : [prefix + name]
  })
}

/** Whether a call in the text begins with this title, as those that declare tests do. */
const hasTest = (text: string, title: string) =>
  new RegExp(`\\(\\s*(['"\`])${title.replace(/[^\w\s]/g, '\\$&')}\\1,`).test(text)

/**
 * What is wrong with the table: settings without a proof, settings that no screen has, tests that are not there, and
 * tests in files that never name the setting. Sorted, empty when all is well.
 */
export function settingsFaults(
  proofs: Proofs,
  settings: readonly string[] = settingsOnScreens(),
  read: (file: string) => string = textOf,
): string[] {
  const proved = new Set<string>()
  const faults = Object.entries(proofs).flatMap(([file, tests]) => {
    const text = read(file)
    return Object.entries(tests).flatMap(([title, shown]) => {
      const names = shown.split(/\s+/)
      for (const name of names) proved.add(name)
      return [
        ...(hasTest(text, title) ? [] : [`no test “${title}” in ${file}`]),
        ...names
          .filter((name) => !new RegExp(`\\b${name.split('.').at(-1)}\\b`).test(text))
          .map((name) => `${name} is not named in ${file}`),
      ]
    })
  })
  const shownBy = new Set(settings)
  return [
    ...faults,
    ...settings.filter((name) => !proved.has(name)).map((name) => `${name} changes nothing that a test looks at`),
    ...[...proved].filter((name) => !shownBy.has(name)).map((name) => `${name} is on no screen`),
  ].toSorted()
}
