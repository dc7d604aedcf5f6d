import { newKey } from '../../../../data/api.ts'

const PLACE = 'smartqueue.console.window'

function ownName(): string {
  try {
    const kept = sessionStorage.getItem(PLACE)
    sessionStorage.removeItem(PLACE)
    return kept ?? newKey()
  } catch {
    return newKey()
  }
}

/** Names this window through reloads. It is written down only while the page is left, so that a copied tab gets another. */
export const windowName = ownName()
addEventListener('pagehide', () => {
  try {
    sessionStorage.setItem(PLACE, windowName)
  } catch {
    // Then a reload counts as another window, which asks to take over.
  }
})
