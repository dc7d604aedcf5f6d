import { createPortal } from 'react-dom'
import { TicketStatus } from '../../../../shared/ticket-status.ts'
import { t } from '../../../ui/messages.ts'
import { TicketNumber } from '../../../ui/parts/react.ts'
import type { Acts } from './state/acts.ts'
import { useStore } from '../state/store.ts'
import { CommandButton } from './command-button.tsx'
import { miniWindow } from './mini-window.ts'
import { Timer } from './timer.tsx'

export function Mini({ acts }: { acts: Acts }) {
  const { view, waitingCount, waiting, notice } = useStore(acts.desk)
  const { root } = useStore(miniWindow)
  if (!root || !view) return null
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
    root,
  )
}
