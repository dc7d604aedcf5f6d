type Child = Node | string | null | undefined | false
type Properties = Record<string, string | (() => void) | boolean>

/** An element. Everything is set as text or by listeners, so that no policy of the page is in its way. */
export function el(tag: string, properties: Properties = {}, ...children: Child[]): HTMLElement {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') made.addEventListener(name, value)
    else if (typeof value === 'boolean') made.toggleAttribute(name, value)
    else made.setAttribute(name, value)
  }
  made.append(...children.filter((child): child is Node | string => Boolean(child) || child === ''))
  return made
}
