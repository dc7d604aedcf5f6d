type Politeness = 'polite' | 'assertive'
const regions = new Map<Politeness, HTMLElement>()

function region(politeness: Politeness): HTMLElement {
  let found = regions.get(politeness)
  if (!found?.isConnected) {
    found = document.createElement('div')
    found.className = 'visually-hidden'
    found.setAttribute('aria-live', politeness)
    document.body.append(found)
    regions.set(politeness, found)
  }
  return found
}

/** Makes the regions at the start: a region that appears together with its text is not read by every screen reader. */
export function prepareAnnouncements(): void {
  region('polite')
  region('assertive')
}

/** Has a screen reader say `text`; `assertive` interrupts it and is for "it is your turn" only. */
export function announce(text: string, politeness: Politeness = 'polite'): void {
  const line = document.createElement('p')
  line.textContent = text
  region(politeness).replaceChildren(line)
}
