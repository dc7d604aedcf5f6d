import type { Language } from '../../../shared/format.ts'
import { t } from '../../ui/messages.ts'
import { el } from './dom.ts'
import { Refused, type Server } from './server.ts'

export interface Widget {
  server: Server
  language: Language
  /** Where a ticket that was taken here is remembered; empty for one that the page names. */
  memory: string
  /** Goes to what can be taken, with what was refused. */
  join(refusal?: string): void
  /** Goes to a ticket. */
  status(token: string): void
  /** Shows this instead of what was there. */
  show(...content: (HTMLElement | false)[]): void
}

/** A page may keep nothing, or forbid to. */
export function recall(memory: string): string {
  try {
    return (memory && localStorage.getItem(memory)) || ''
  } catch {
    return ''
  }
}
export function remember(memory: string, token: string | null): void {
  try {
    if (memory && token) localStorage.setItem(memory, token)
    else if (memory) localStorage.removeItem(memory)
  } catch {
    // It is shown all the same, until the page is left.
  }
}

/** Says that the server was not reached, and offers to try again. */
export function failed({ show, server }: Widget, error: unknown, again: () => void): void {
  const said = error instanceof Refused && error.message ? error.message : t('widget.failed')
  show(
    el('p', { class: 'refusal', role: 'alert' }, said),
    el('button', { type: 'button', click: again }, t('widget.again')),
    el('a', { href: server.page, target: '_blank', rel: 'noopener' }, t('widget.open_page')),
  )
}
