import { preferences } from '../../state/preferences.ts'
import { resolve, type Meaning } from './resolve.ts'

const FIELDS = 'input, textarea, select, [contenteditable]'
/** Works in fields and without single-key shortcuts too: it needs a second key held down. */
const ALWAYS = new Set(['palette'])

/**
 * Hands strokes to `obey`, of any of the desk's windows. Nothing fires while a field has the focus, a sheet is open, or
 * the person has switched keys off; a held key counts once.
 */
export function listen(target: Window, obey: (meaning: Meaning) => void, isSheetOpen: () => boolean): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.repeat || event.isComposing || event.getModifierState('AltGraph')) return
    const meaning = resolve(event, preferences.state.bindings)
    if (!meaning || isSheetOpen()) return
    const focused = event.target && 'closest' in event.target ? (event.target as Element) : null
    const isAlways = 'command' in meaning && ALWAYS.has(meaning.command)
    if (!isAlways && (!preferences.state.hasShortcuts || focused?.closest(FIELDS))) return
    // Enter of the number pad presses the focused button like any Enter.
    if (event.code === 'NumpadEnter' && focused?.closest('button, a, summary')) return
    event.preventDefault()
    obey(meaning)
  }
  target.addEventListener('keydown', onKey)
  return () => target.removeEventListener('keydown', onKey)
}
