import { keyOf } from '../keys/stroke.ts'
import { preferences } from '../state/preferences.ts'
import { navigate } from './router.ts'
import type { Shell } from './shell.ts'

const FIELDS = 'input, textarea, select, [contenteditable]'
/** How long `G` waits for its letter. */
const GO_SECONDS = 3

/**
 * `G` and a letter open a page, on every page; Ctrl K, `?` and the keys of the page's own commands where the page leaves
 * them to the shell. Listens before everybody else, so that the letter after `G` means nothing to the desk.
 */
export function listenForPages(shell: Shell): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = () => {
    clearTimeout(timer)
    if (shell.state.isGoing) shell.set({ isGoing: false })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.repeat || event.isComposing || event.altKey || event.getModifierState('AltGraph')) return
    const key = keyOf(event)
    if (document.querySelector('dialog[open]')) return
    const take = () => {
      event.preventDefault()
      event.stopImmediatePropagation()
    }
    if (key === 'Ctrl+k' && !shell.hasOwnKeys) {
      take()
      return shell.set({ sheet: 'palette' })
    }
    const isInField = event.target instanceof Element && event.target.closest(FIELDS) !== null
    if (isInField || !preferences.state.hasShortcuts) return
    if (shell.state.isGoing) {
      if (['Shift', 'Control', 'Meta'].includes(event.key)) return
      take()
      stop()
      const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1]
      const target = shell.targets.find((each) => each.key === (digit ?? key))
      if (target) return target.run()
      const page = shell.pages.find((each) => each.key === key)
      if (page) navigate(page.path)
      return
    }
    if (key === 'g' && (shell.pages.length > 1 || shell.targets.length > 0)) {
      take()
      shell.set({ isGoing: true })
      timer = setTimeout(stop, GO_SECONDS * 1000)
      return
    }
    if (shell.hasOwnKeys) return
    if (key === '?' || key === 'F1') {
      take()
      return shell.set({ sheet: 'help' })
    }
    const command = shell.commands.find((each) => each.key === key && each.isPossible?.() !== false)
    if (!command) return
    take()
    command.run()
  }
  addEventListener('keydown', onKey, true)
  return () => {
    stop()
    removeEventListener('keydown', onKey, true)
  }
}
