import { t, type MessageKey } from '../../../../ui/messages.ts'

/** The first of these messages that exists; screens that are declared name theirs by what they show. */
export function words(...keys: string[]): string {
  for (const key of keys) {
    const text = t(key as MessageKey)
    if (text !== key) return text
  }
  return keys.at(-1)!
}
/** What a property of the interface is called. */
export const fieldLabel = (name: string, noun = ''): string =>
  words(`admin.field.${noun}.${name}`, `admin.field.${name}`)
/** A word for a value of a closed set. */
export const valueLabel = (name: string, value: string): string =>
  words(`admin.value.${name}.${value}`, `admin.value.${value}`, `role.${value}`, `channel.${value}`)
/** What a field is for, where its name does not say it. */
export function fieldHint(name: string, noun: string): string {
  const keys = [`admin.hint.${noun}.${name}`, `admin.hint.${name}`]
  const text = words(...keys)
  return text === keys[1] ? '' : text
}
