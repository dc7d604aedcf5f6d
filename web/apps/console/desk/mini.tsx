import { useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { t } from '../../../ui/messages.ts'
import { TicketNumber } from '../../../ui/parts/react.ts'
import { obey } from './commands.ts'
import { listen } from './keys/listen.ts'
import type { Acts } from './state/acts.ts'
import { useStore } from '../state/store.ts'
import { CommandButton } from './command-button.tsx'
import { Timer } from './current-pane.tsx'

interface PictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>
}
const api = (): PictureInPicture | undefined =>
  (globalThis as { documentPictureInPicture?: PictureInPicture }).documentPictureInPicture

/** Chromium on a desk has it. */
export const isMiniPossible = (): boolean => api() !== undefined

let root: HTMLElement | null = null
const listeners = new Set<() => void>()
function show(element: HTMLElement | null): void {
  root = element
  for (const listener of listeners) listener()
}

/** A small window above the organisation's own programs: number, timer and the keys that matter. */
export async function openMini(acts: Acts): Promise<void> {
  const small = await api()?.requestWindow({ width: 340, height: 240 })
  if (!small) return
  const { documentElement } = small.document
  for (const name of ['lang', 'dir', 'data-theme', 'data-density'])
    documentElement.setAttribute(name, document.documentElement.getAttribute(name) ?? '')
  small.document.title = document.title
  for (const link of document.querySelectorAll('link[rel="stylesheet"]'))
    small.document.head.append(small.document.importNode(link, true))
  const body = small.document.createElement('div')
  small.document.body.append(body)
  const stop = listen(
    small,
    (meaning) => obey(meaning, acts),
    () => false,
  )
  small.addEventListener('pagehide', () => {
    stop()
    show(null)
  })
  show(body)
}

export function Mini({ acts }: { acts: Acts }) {
  const { view, waitingCount, waiting, notice } = useStore(acts.desk)
  const element = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => root,
  )
  if (!element || !view) return null
  const { ticket } = view
  const since = ticket?.status === TicketStatus.serving ? ticket.started_at : (ticket?.called_at ?? null)
  return createPortal(
    <main className="mini" data-state={ticket?.status === TicketStatus.called ? 'called' : undefined}>
      <p className="muted">{t('console.waiting_count', { count: waitingCount })}</p>
      <p className="number" data-mini-number={ticket?.number}>
        <TicketNumber>{ticket?.number ?? waiting[0]?.number ?? '–'}</TicketNumber> {ticket && <Timer since={since} />}
      </p>
      <p className="notice" role="status">
        {notice?.text}
      </p>
      <p className="commands">
        <CommandButton acts={acts} command="next" kind="primary">
          {ticket ? undefined : t('console.call_next')}
        </CommandButton>
        <CommandButton acts={acts} command="recall" />
        <CommandButton acts={acts} command="no_show" />
      </p>
    </main>,
    element,
  )
}
