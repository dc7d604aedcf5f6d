import type { Values } from './model.ts'

const PLACE = 'smartqueue.draft.'

/** What was typed and not yet sent stays with the window when people go elsewhere in it. Secrets are not kept. */
export function keptDraft(key: string): Values | undefined {
  try {
    const text = sessionStorage.getItem(PLACE + key)
    return text === null ? undefined : (JSON.parse(text) as Values)
  } catch {
    return undefined
  }
}
export function keepDraft(key: string, values: Values | undefined): void {
  try {
    if (!values || Object.keys(values).length === 0) sessionStorage.removeItem(PLACE + key)
    else
      sessionStorage.setItem(
        PLACE + key,
        JSON.stringify(values, (name, value: unknown) => (/password|secret/.test(name) ? undefined : value)),
      )
  } catch {
    // Storage may be forbidden or full; then the draft lives as long as the page.
  }
}
