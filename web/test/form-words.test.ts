import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fieldsOf, type Field } from '../apps/console/admin/kit/model.ts'
import type { Schema } from '../data/schema.ts'
import * as schemas from '../data/schemas.ts'

/** The forms and lists of the nouns, as they are declared. */
function declared(): { noun: string; forms: Schema[]; columns: string[]; hidden: string[] }[] {
  const source = readFileSync('web/apps/console/admin/resources.tsx', 'utf8')
  const listOf = (body: string, name: string) =>
    [...(new RegExp(`${name}: \\[([^\\]]*)\\]`).exec(body)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, each]) => each!)
  const nouns = [...source.matchAll(/^ {2}\w+: \{\n([\s\S]*?)^ {2}\},$/gm)].map(([, body]) => ({
    noun: /noun: '(\w+)'/.exec(body!)![1]!,
    forms: [...body!.matchAll(/(?:create|update)Input: .*?schemas\.(\w+)/g)].map(
      ([, name]) => (schemas as Record<string, Schema>)[name!]!,
    ),
    columns: listOf(body!, 'columns'),
    hidden: listOf(body!, 'hidden'),
  }))
  const alone = (noun: string, form: Schema, hidden: string[] = []) => ({ noun, forms: [form], columns: [], hidden })
  return [
    ...nouns,
    alone('setup', schemas.setupApplyInput, ['template', 'timezone']),
    alone('sso', schemas.ssoSetInput),
    alone('organisation', schemas.tenantsUpdateInput),
    alone('pairing', schemas.devicesPairInput),
  ]
}

test('every field, column and choice of every form has its words in three languages', () => {
  const nouns = declared()
  expect(nouns.length).toBeGreaterThan(20)
  for (const language of ['fr', 'en', 'ar']) {
    const texts = {
      ...textsOf(`shared/locales/screens/admin.${language}.json`),
      ...textsOf(`shared/locales/${language}.json`),
    }
    const lacking = new Set<string>()
    const need = (what: string, ...keys: string[]) => keys.some((key) => texts[key]) || lacking.add(what)
    let fields = 0
    const look = (noun: string, { name, kind, schema }: Field): void => {
      fields++
      need(`${noun}.${name}`, `admin.field.${noun}.${name}`, `admin.field.${name}`)
      const choices = kind === 'choice' ? schema.enum : kind === 'choices' ? (schema.items as Schema).enum : []
      for (const each of choices ?? [])
        need(
          `${noun}.${name}=${each}`,
          `admin.value.${name}.${each}`,
          `admin.value.${each}`,
          `role.${each}`,
          `channel.${each}`,
        )
      const within = kind === 'rows' ? (schema.items as Schema) : kind === 'group' || kind === 'one' ? schema : null
      if (within) for (const each of fieldsOf(within)) look(noun, each)
    }
    for (const { noun, forms, columns, hidden } of nouns) {
      for (const form of forms) for (const field of fieldsOf(form, '', ['id', ...hidden])) look(noun, field)
      for (const name of columns) need(`${noun}.${name}`, `admin.field.${noun}.${name}`, `admin.field.${name}`)
      need(noun, `admin.${noun}`)
    }
    expect(fields).toBeGreaterThan(200)
    expect([language, [...lacking]]).toEqual([language, []])
  }
})
const textsOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
