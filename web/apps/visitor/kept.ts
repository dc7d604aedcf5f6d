import type { Mine } from './data.ts'

interface Kept {
  at: string
  mine: Mine
}
const PREFIX = 'ticket:'

/** What was known last, for a page that is opened without a network. Storage may be refused: then nothing is kept. */
export function keepTicket(token: string, mine: Mine, at: string): void {
  try {
    localStorage.setItem(PREFIX + token, JSON.stringify({ at, mine }))
  } catch {
    // Private windows and full storage: the page works without.
  }
}
export function keptTicket(token: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + token) ?? 'null') as Kept | null
  } catch {
    return null
  }
}
export function forgetTicket(token: string): void {
  try {
    localStorage.removeItem(PREFIX + token)
    void caches.delete('tickets')
  } catch {
    // Nothing was kept.
  }
}
