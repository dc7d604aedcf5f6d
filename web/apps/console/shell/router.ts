import { useSyncExternalStore, type MouseEvent } from 'react'

/** Where the console's pages live; what follows names the page. */
const BASE = '/app/'
/** Said once, kept on every page: the language of the texts and the organisation of the sign-in. */
const KEPT = ['lang', 'tenant']

/** A place in the console: the page's path without `/app/`, and what its address asks for. */
interface Place {
  path: string
  search: URLSearchParams
}
const read = (): Place => ({
  path: location.pathname.slice(BASE.length).replace(/\/$/, ''),
  search: new URLSearchParams(location.search),
})
let place = read()
const listeners = new Set<() => void>()
function change(): void {
  place = read()
  for (const each of listeners) each()
}
addEventListener('popstate', change)

/** Asked before a page is left for another one. `false` keeps it; `go` leaves all the same, when the person has agreed. */
type Guard = (go: () => void) => boolean
let guard: Guard | null = null
/**
 * What is typed and not saved yet stands in the way of leaving. One page at a time; `null` takes it away.
 * @public
 */
export function guardLeaving(next: Guard | null): void {
  guard = next
}
addEventListener('beforeunload', (event) => {
  if (guard) event.preventDefault()
})

/** The address of a page: `floor`, `admin/queues?site=3`. */
export function hrefOf(to: string): string {
  const [path = '', query] = to.split('?')
  const search = new URLSearchParams(query)
  for (const name of KEPT) {
    const value = place.search.get(name)
    if (value !== null && !search.has(name)) search.set(name, value)
  }
  const text = search.toString()
  return BASE + path + (text && `?${text}`)
}

/** Opens a page of the console. */
export function navigate(to: string, { isReplacing = false } = {}): void {
  const go = () => {
    guard = null
    history[isReplacing ? 'replaceState' : 'pushState'](null, '', hrefOf(to))
    scrollTo(0, 0)
    change()
  }
  if (guard === null || guard(go)) go()
}

/** Changes what the address of this page asks for; a link to it shows the same. `null` takes a name out. */
export function setSearch(changes: Record<string, string | null>, { isReplacing = false } = {}): void {
  const search = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes))
    if (value === null) search.delete(name)
    else search.set(name, value)
  const text = search.toString()
  history[isReplacing ? 'replaceState' : 'pushState'](null, '', location.pathname + (text && `?${text}`))
  change()
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => place,
  )
}
/** Properties of a link to a page: `<a {...linkTo('floor')}>`. A new tab opens as everywhere. */
export const linkTo = (to: string) => ({
  href: hrefOf(to),
  onClick(event: MouseEvent) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return
    event.preventDefault()
    navigate(to)
  },
})
