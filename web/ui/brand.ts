const ID = 'brand'

/** Gives what is pressed on a page an organisation's colour (`#0A4DA3`); null takes the program's own again. */
export function wear(colour: string | null): void {
  const known = document.getElementById(ID) as HTMLLinkElement | null
  if (colour === null) return known?.remove()
  const link = known ?? document.createElement('link')
  const address = `/brand/${colour.slice(1)}.css`
  if (link.getAttribute('href') === address) return
  link.id = ID
  link.rel = 'stylesheet'
  link.href = address
  document.head.append(link)
}

/** An address of this page's own origin, whatever name the house is known by. */
export const local = (url: string): string => {
  const { pathname, search } = new URL(url, location.href)
  return pathname + search
}
