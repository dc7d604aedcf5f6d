import { Store } from './store.ts'
import type { Bindings } from '../desk/keys/bindings.ts'

export interface Preferences {
  theme: 'dark' | 'light'
  hasShortcuts: boolean
  /** Keys that people chose themselves; the rest is as delivered. */
  bindings: Bindings
  /** The last counter of each agent, by the agent's id. */
  counters: Record<number, number>
  /** Earlier visits are shown with the person. */
  showsVisits: boolean
}
const PLACE = 'smartqueue.console'
const DEFAULTS: Preferences = { theme: 'dark', hasShortcuts: true, bindings: {}, counters: {}, showsVisits: true }

function read(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(PLACE) ?? '{}') as Partial<Preferences>) }
  } catch {
    return DEFAULTS
  }
}

/** What this browser remembers, beyond the session. Nothing about people. */
export const preferences = new Store<Preferences>(read())
preferences.subscribe(() => {
  try {
    localStorage.setItem(PLACE, JSON.stringify(preferences.state))
  } catch {
    // Storage may be forbidden; then it holds until the page is closed.
  }
})

export function showTheme(): void {
  document.documentElement.dataset['theme'] = preferences.state.theme
}
preferences.subscribe(showTheme)
